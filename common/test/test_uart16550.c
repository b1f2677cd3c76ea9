/* Unit tests of common/device/uart16550.c: a board without OUT2's gate, reads that wait, and a
 * state that is saved and loaded into another UART. The VMM's test_serial.c tests each register. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/device/uart16550.h"

struct world {
    const char *input;
    char output[64];
    unsigned sent, rises;
    bool line;
};

static struct world world, other;

static struct uart16550 uart;

static void send(void *context, uint8_t byte)
{
    struct world *w = context;

    w->output[w->sent++ % sizeof w->output] = (char)byte;
}

static int receive(void *context)
{
    struct world *w = context;

    return *w->input != '\0' ? *w->input++ : -1;
}

static unsigned waiting(void *context)
{
    return (unsigned)strlen(((struct world *)context)->input);
}

static void line(void *context, bool level)
{
    struct world *w = context;

    w->rises += level && !w->line;
    w->line = level;
}

static const struct uart16550_backend backend = {
    .send = send, .receive = receive, .waiting = waiting, .line = line};

static int set_up(void **state)
{
    (void)state;
    world = other = (struct world){.input = ""};
    uart16550_init(&uart, &backend, &world, false);
    return 0;
}

static void test_no_gate(void **state)
{
    (void)state;
    uart16550_write(&uart, UART_IER, UART_IER_RDA); /* MCR is still 0: OUT2 is off */
    world.input = "x";
    uart16550_input_ready(&uart);
    assert_true(world.line);
    assert_int_equal(uart16550_read(&uart, UART_DATA, false), 'x');
    assert_false(world.line);
}

static void test_a_read_that_waits(void **state)
{
    (void)state;
    assert_int_equal(uart16550_read(&uart, UART_DATA, false), 0);
    assert_int_equal(uart16550_read(&uart, UART_DATA, true), UART16550_MUST_WAIT);
    world.input = "ab";
    assert_int_equal(uart16550_read(&uart, UART_DATA, true), 'a');
    assert_int_equal(uart16550_read(&uart, UART_DATA, false), 'b');
}

static void test_reset(void **state)
{
    (void)state;
    uart16550_write(&uart, UART_IER, UART_IER_THRE);
    assert_true(world.line);
    uart16550_write(&uart, UART_SCR, 7);
    uart16550_reset(&uart);
    assert_false(world.line);
    assert_int_equal(uart16550_read(&uart, UART_SCR, false), 0);
    assert_int_equal(uart16550_read(&uart, UART_LCR, false), UART_LCR_8_BITS);
}

/* All registers, the loopback FIFO, and a pending interrupt that is not acknowledged yet. */
static void test_moves(void **state)
{
    struct uart16550 second;

    (void)state;
    uart16550_write(&uart, UART_LCR, UART_LCR_DLAB);
    uart16550_write(&uart, UART_DATA, 12);
    uart16550_write(&uart, UART_IER, 34);
    uart16550_write(&uart, UART_LCR, 0x1b);
    uart16550_write(&uart, UART_SCR, 0x77);
    uart16550_write(&uart, UART_FCR, UART_FCR_ENABLE);
    uart16550_write(&uart, UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
    uart16550_write(&uart, UART_DATA, 'l');
    uart16550_write(&uart, UART_DATA, 'p');
    uart16550_write(&uart, UART_IER, UART_IER_THRE);
    assert_true(world.line);

    uart16550_init(&second, &backend, &other, false);
    assert_true(uart16550_load(&second, &uart.state));
    assert_true(other.line);
    assert_memory_equal(&second.state, &uart.state, sizeof uart.state);
    assert_int_equal(uart16550_read(&second, UART_IIR, false), UART_IIR_THRE | UART_IIR_FIFOS);
    assert_false(other.line);
    assert_int_equal(uart16550_read(&second, UART_DATA, false), 'l');
    assert_int_equal(uart16550_read(&second, UART_DATA, false), 'p');
    assert_int_equal(uart16550_read(&second, UART_MSR, false), UART_MSR_CTS);
    assert_int_equal(uart16550_read(&second, UART_SCR, false), 0x77);
    uart16550_write(&second, UART_LCR, UART_LCR_DLAB);
    assert_int_equal(uart16550_read(&second, UART_DATA, false), 12);
    assert_int_equal(uart16550_read(&second, UART_IER, false), 34);
}

static void test_what_no_uart_can_be_in(void **state)
{
    struct uart16550_state bad[] = {
        {.loop_count = UART_FIFO_SIZE + 1},
        {.polls = 9},
        {.ier = 0x10},
        {.mcr = 0x20},
        {.line = 2},
        {.thr_empty_pending = 2},
        {.overrun = 2},
        {.hung_up = 2},
    };
    struct uart16550_state before = uart.state;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(uart16550_load(&uart, &bad[i]));
        assert_memory_equal(&uart.state, &before, sizeof before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_no_gate, set_up),
        cmocka_unit_test_setup(test_a_read_that_waits, set_up),
        cmocka_unit_test_setup(test_reset, set_up),
        cmocka_unit_test_setup(test_moves, set_up),
        cmocka_unit_test_setup(test_what_no_uart_can_be_in, set_up),
    };

    return cmocka_run_group_tests_name("uart16550", tests, NULL, NULL);
}
