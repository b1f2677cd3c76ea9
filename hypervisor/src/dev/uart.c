/* A guest's serial port; see uart.h. */
#include "dev/uart.h"

enum { REGISTERS = 8 };

static void send_byte(void *context, uint8_t byte)
{
    struct uart *u = context;

    u->holding = !u->send(u->owner, (char)byte);
    u->held = byte;
}

static int take(void *context)
{
    struct uart *u = context;
    uint8_t byte;

    if (u->queue_count == 0)
        return -1;
    byte = u->queue[u->queue_head];
    u->queue_head = (u->queue_head + 1) % UART_QUEUE;
    u->queue_count--;
    return byte;
}

static unsigned waiting(void *context)
{
    return ((const struct uart *)context)->queue_count;
}

static void set_line(void *context, bool level)
{
    irq_set(&((const struct uart *)context)->irq, level);
}

static const struct uart16550_backend backend = {
    .send = send_byte, .receive = take, .waiting = waiting, .line = set_line};

void uart_init(struct uart *u, struct irq_line irq, bool (*send)(void *owner, char c), void *owner)
{
    *u = (struct uart){.irq = irq, .send = send, .owner = owner};
    uart16550_init(&u->chip, &backend, u, false);
}

void uart_reset(struct uart *u)
{
    u->queue_head = u->queue_count = 0;
    u->holding = false;
    uart16550_reset(&u->chip);
}

bool uart_receive(struct uart *u, uint8_t byte)
{
    if (u->queue_count == UART_QUEUE)
        return false;
    u->queue[(u->queue_head + u->queue_count++) % UART_QUEUE] = byte;
    uart16550_input_ready(&u->chip);
    return true;
}

int uart_take(struct uart *u)
{
    int byte = take(u);

    uart16550_input_ready(&u->chip);
    return byte;
}

/* Each register is one byte at its own address: a wider access uses only the lowest byte. */
static uint64_t uart_read(void *state, uint64_t offset, unsigned width)
{
    struct uart *u = state;
    uint64_t value;

    (void)width;
    if (offset >= REGISTERS)
        return 0;
    value = (uint64_t)uart16550_read(&u->chip, (unsigned)offset, false);
    if (offset != UART_LSR || !u->holding)
        return value;
    /* The holding register keeps a byte for which there was no room. A driver that sends the next
     * one without a look at LSR loses it. */
    u->holding = !u->send(u->owner, (char)u->held);
    return u->holding ? value & ~(uint64_t)(UART_LSR_THRE | UART_LSR_TEMT) : value;
}

static void uart_write(void *state, uint64_t offset, unsigned width, uint64_t value)
{
    struct uart *u = state;

    (void)width;
    if (offset < REGISTERS)
        uart16550_write(&u->chip, (unsigned)offset, (uint8_t)value);
}

const struct device_ops uart_ops = {
    .name = "ns16550a",
    .read = uart_read,
    .write = uart_write,
};
