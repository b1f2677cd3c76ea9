/*
 * libFuzzer: a hostile guest's accesses to a UART, and states to load. A step has two bytes: the
 * action and its register, and the value. After each step the UART must accept its own state, and
 * the interrupt line must be as that state says.
 */
#include <stdlib.h>
#include <string.h>

#include "common/device/uart16550.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    unsigned input;
    bool line;
};

static void send(void *context, uint8_t byte)
{
    (void)context;
    (void)byte;
}

static int receive(void *context)
{
    struct world *w = context;

    return w->input > 0 ? (int)w->input-- & 0xff : -1;
}

static unsigned waiting(void *context)
{
    return ((struct world *)context)->input;
}

static void line(void *context, bool level)
{
    ((struct world *)context)->line = level;
}

static const struct uart16550_backend backend = {
    .send = send, .receive = receive, .waiting = waiting, .line = line};

static void step(struct uart16550 *uart, struct world *world, uint8_t order, uint8_t value)
{
    unsigned offset = order & 7;
    int result;

    switch (order >> 3 & 3) {
    case 0:
        uart16550_write(uart, offset, value);
        break;
    case 1:
        result = uart16550_read(uart, offset, order & 0x20);
        if (result < UART16550_MUST_WAIT || result > 0xff ||
            (result == UART16550_MUST_WAIT && (!(order & 0x20) || offset != UART_DATA)))
            abort();
        break;
    case 2:
        world->input = value;
        uart16550_input_ready(uart);
        break;
    default:
        if (value == 0)
            uart16550_reset(uart);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {0}, copy_world = {0};
    struct uart16550 uart, copy;
    struct uart16550_state state;

    uart16550_init(&uart, &backend, &world, size & 1);
    if (size >= sizeof state) {
        memcpy(&state, data, sizeof state);
        if (uart16550_load(&uart, &state)) {
            data += sizeof state;
            size -= sizeof state;
        }
    }
    for (; size >= 2; data += 2, size -= 2) {
        step(&uart, &world, data[0], data[1]);
        copy_world = world;
        uart16550_init(&copy, &backend, &copy_world, uart.out2_gates);
        if (uart.state.line != world.line || !uart16550_load(&copy, &uart.state) ||
            copy_world.line != world.line)
            abort();
    }
    return 0;
}
