/* The first serial port; see serial.h. */
#include "dev/serial.h"

enum { CTRL_D = 0x04 };
enum { VERSION = 2 }; /* of the saved state */

struct saved {
    struct uart16550_state uart;
    uint8_t moved, end_is_due, quiet_looks, reserved;
};

static void send(void *context, uint8_t byte)
{
    struct serial *s = context;

    s->moved = true;
    s->backend->output(s->backend->context, &byte, 1);
}

/* Whether the guest reads the end of input as a Ctrl-D now: at once if it polls; after a quiet time
 * if it waits for the receive interrupt (serial_look_for_end). */
static bool ends_now(const struct serial *s)
{
    return s->ctrl_d_at_end && !s->uart.state.hung_up &&
           (s->end_is_due || !(s->uart.state.ier & UART_IER_RDA));
}

/* At the end of input the guest reads one Ctrl-D, and the line is hung up. The line is back if
 * input comes later, as when the terminal's focus returns to this guest. */
static unsigned waiting(void *context)
{
    const struct serial *s = context;
    int pending = s->backend->pending(s->backend->context);

    if (pending == INPUT_END)
        return ends_now(s) ? 1 : 0;
    return (unsigned)pending;
}

/* -1: no input yet. After the end of input it returns zeroes. */
static int receive(void *context)
{
    struct serial *s = context;
    int byte = s->backend->input(s->backend->context);
    bool hang_up = byte == INPUT_END && ends_now(s);

    if (byte == INPUT_NONE)
        return -1;
    s->moved |= byte >= 0;
    s->end_is_due &= byte < 0;
    if (byte >= 0 || hang_up)
        s->uart.state.hung_up = hang_up;
    return hang_up ? CTRL_D : byte == INPUT_END ? 0 : byte;
}

static void listens(void *context)
{
    const struct serial *s = context;

    s->backend->want_input(s->backend->context);
}

static void line(void *context, bool level)
{
    irq_set(&((struct serial *)context)->irq, level);
}

static const struct uart16550_backend uart_backend = {
    .send = send, .receive = receive, .waiting = waiting, .listens = listens, .line = line};

/* (Inlined, it would make serial_access save registers.) */
static __attribute__((noinline)) enum verdict access_any(struct serial *s,
                                                         struct bus_access *access)
{
    int value = access->data[0];

    lock_take(&s->lock);
    if (access->write)
        uart16550_write(&s->uart, (unsigned)access->offset, (uint8_t)value);
    else
        value = uart16550_read(&s->uart, (unsigned)access->offset, access->string);
    lock_release(&s->lock);
    if (value == UART16550_MUST_WAIT)
        return VERDICT_AGAIN;
    access->data[0] = (uint8_t)value;
    return VERDICT_RESUME;
}

/* Most accesses are writes that find the lock free. */
static enum verdict serial_access(void *device, struct bus_access *access)
{
    struct serial *s = device;

    if (!access->write || !lock_try(&s->lock))
        return access_any(s, access);
    uart16550_write(&s->uart, (unsigned)access->offset, access->data[0]);
    lock_release(&s->lock);
    return VERDICT_RESUME;
}

static void serial_reset(void *device)
{
    struct serial *s = device;
    LOCK_FOR_BLOCK(&s->lock);

    uart16550_reset(&s->uart);
}

static void serial_save(void *device, const char *name, struct chunk_writer *writer)
{
    struct serial *s = device;
    LOCK_FOR_BLOCK(&s->lock);
    struct saved saved = {.uart = s->uart.state,
                          .moved = s->moved,
                          .end_is_due = s->end_is_due,
                          .quiet_looks = (uint8_t)s->quiet_looks};

    chunk_write(writer, name, VERSION, &saved, sizeof saved);
}

static int serial_load(void *device, const struct chunk *chunk, struct error *error)
{
    struct serial *s = device;
    struct saved saved;
    bool good;

    if (chunk_copy(chunk, VERSION, &saved, sizeof saved, error) < 0)
        return -1;
    lock_take(&s->lock);
    s->irq.level = !saved.uart.line; /* so that the controllers get the level, whatever it was */
    good = saved.moved <= 1 && saved.end_is_due <= 1 && saved.quiet_looks <= SERIAL_QUIET_LOOKS &&
           uart16550_load(&s->uart, &saved.uart);
    if (good) {
        s->moved = saved.moved;
        s->end_is_due = saved.end_is_due;
        s->quiet_looks = saved.quiet_looks;
    } else {
        s->irq.level = s->uart.state.line;
    }
    lock_release(&s->lock);
    return good ? 0 : error_set(error, "the saved state of %s is damaged", chunk->name);
}

/* While DLAB is set the first two are the divisor's halves; they have the names of their usual
 * registers. */
static const char *const read_names[SERIAL_PORTS] = {"RBR", "IER", "IIR", "LCR",
                                                     "MCR", "LSR", "MSR", "SCR"};
static const char *const write_names[SERIAL_PORTS] = {"THR", "IER", "FCR", "LCR",
                                                      "MCR", "LSR", "MSR", "SCR"};
static const struct bus_registers registers = {.read = BUS_NAMES(read_names),
                                               .written = BUS_NAMES(write_names)};

const struct bus_ops serial_ops = {.name = "uart",
                                   .registers = &registers,
                                   .width = 1,
                                   .access = serial_access,
                                   .reset = serial_reset,
                                   .save = serial_save,
                                   .load = serial_load};

void serial_init(struct serial *serial, const struct backend *backend, struct irq_line irq,
                 bool ctrl_d_at_end)
{
    *serial = (struct serial){.backend = backend, .ctrl_d_at_end = ctrl_d_at_end, .irq = irq};
    uart16550_init(&serial->uart, &uart_backend, serial, true);
    lock_init(&serial->lock);
}

void serial_input_ready(struct serial *serial)
{
    LOCK_FOR_BLOCK(&serial->lock);

    uart16550_input_ready(&serial->uart);
}

void serial_look_for_end(struct serial *s)
{
    LOCK_FOR_BLOCK(&s->lock);

    if (s->moved || !(s->uart.state.ier & UART_IER_RDA))
        s->quiet_looks = 0;
    else if (s->quiet_looks < SERIAL_QUIET_LOOKS && ++s->quiet_looks == SERIAL_QUIET_LOOKS) {
        s->end_is_due = true;
        s->uart.state.hung_up = false; /* one more Ctrl-D, in case one was lost */
        uart16550_input_ready(&s->uart);
    }
    s->moved = false;
}
