/* A guest's serial port; see uart.h. Registers: data sheet, tables 3 to 5. */
#include "dev/uart.h"

enum reg { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RECEIVE = 1, IER_THR_EMPTY = 2, IER_USED = 0x0f };
enum { IIR_NONE = 1, IIR_THR_EMPTY = 2, IIR_RECEIVE = 4, IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RECEIVE = 2 };
enum { LCR_DIVISOR = 0x80 };
enum { MCR_LOOP = 0x10 };
enum { LSR_DATA = 1, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_CARRIER = 0x80 };

static uint8_t interrupt_id(const struct uart *u)
{
    if ((u->ier & IER_RECEIVE) && u->queue_count > 0)
        return IIR_RECEIVE;
    if ((u->ier & IER_THR_EMPTY) && u->thr_empty_pending)
        return IIR_THR_EMPTY;
    return IIR_NONE;
}

static void update(struct uart *u)
{
    irq_set(&u->irq, interrupt_id(u) != IIR_NONE);
}

void uart_reset(struct uart *u)
{
    u->ier = u->lcr = u->mcr = u->scr = u->fcr = u->dll = u->dlm = 0;
    u->thr_empty_pending = false;
    u->queue_head = u->queue_count = 0;
    update(u);
}

bool uart_receive(struct uart *u, uint8_t byte)
{
    if (u->queue_count == UART_QUEUE)
        return false;
    u->queue[(u->queue_head + u->queue_count++) % UART_QUEUE] = byte;
    update(u);
    return true;
}

static uint8_t take(struct uart *u)
{
    uint8_t byte = 0;

    if (u->queue_count > 0) {
        byte = u->queue[u->queue_head];
        u->queue_head = (u->queue_head + 1) % UART_QUEUE;
        u->queue_count--;
        update(u);
    }
    return byte;
}

/* In loop-back mode the modem outputs come back as its inputs, in another order. */
static uint8_t modem_status(const struct uart *u)
{
    uint8_t m = u->mcr;

    if ((m & MCR_LOOP) == 0)
        return MSR_CTS | MSR_DSR | MSR_CARRIER;
    return (uint8_t)((m & 2) << 3 | (m & 1) << 5 | (m & 4) << 4 | (m & 8) << 4);
}

static uint64_t read_interrupt_id(struct uart *u)
{
    uint8_t id = interrupt_id(u);

    if (id == IIR_THR_EMPTY) {
        u->thr_empty_pending = false;
        update(u);
    }
    return id | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint64_t uart_read(void *state, uint64_t offset, unsigned width)
{
    struct uart *u = state;
    bool divisor = (u->lcr & LCR_DIVISOR) != 0;

    (void)width;
    switch (offset) {
    case DATA:
        return divisor ? u->dll : take(u);
    case IER:
        return divisor ? u->dlm : u->ier;
    case IIR:
        return read_interrupt_id(u);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return LSR_THR_EMPTY | LSR_IDLE | (u->queue_count > 0 ? LSR_DATA : 0);
    case MSR:
        return modem_status(u);
    case SCR:
        return u->scr;
    default:
        return 0;
    }
}

static void transmit(struct uart *u, uint8_t byte)
{
    if (u->mcr & MCR_LOOP)
        (void)uart_receive(u, byte); /* a full queue loses it, as the chip's would */
    else
        u->send(u->owner, (char)byte);
    u->thr_empty_pending = true;
    update(u);
}

static void write_ier(struct uart *u, uint8_t value)
{
    if (!(u->ier & IER_THR_EMPTY) && (value & IER_THR_EMPTY))
        u->thr_empty_pending = true;
    u->ier = value & IER_USED;
    update(u);
}

static void write_fcr(struct uart *u, uint8_t value)
{
    if (value & FCR_CLEAR_RECEIVE)
        u->queue_head = u->queue_count = 0;
    u->fcr = value;
    update(u);
}

static void uart_write(void *state, uint64_t offset, unsigned width, uint64_t wide)
{
    struct uart *u = state;
    uint8_t value = (uint8_t)wide;
    bool divisor = (u->lcr & LCR_DIVISOR) != 0;

    (void)width;
    switch (offset) {
    case DATA:
        if (divisor)
            u->dll = value;
        else
            transmit(u, value);
        break;
    case IER:
        if (divisor)
            u->dlm = value;
        else
            write_ier(u, value);
        break;
    case IIR:
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        u->mcr = value & 0x1f;
        break;
    case SCR:
        u->scr = value;
        break;
    default: /* LSR and MSR are read-only */
        break;
    }
}

const struct device_ops uart_ops = {
    .name = "ns16550a",
    .read = uart_read,
    .write = uart_write,
};
