/* A 16550A UART; see serial.h. Register layout and behaviour: PC16550D data sheet, section 8. */
#include "dev/serial.h"

#include <stddef.h>
#include <string.h>

#include "abi/uart16550.h"

enum { CTRL_D = 0x04 };

/* A guest that only prints reads LSR once or twice a byte, and a driver that starts reads LSR and
 * the data register now and then to be rid of old interrupts. One that does nothing else this often
 * in a row waits for input. */
enum { POLLS_MEAN_READING = 8 };

static bool listens(const struct serial *s)
{
    return (s->ier & UART_IER_RDA) || s->polls == POLLS_MEAN_READING;
}

static void begin_listening(struct serial *s)
{
    s->polls = POLLS_MEAN_READING;
    s->backend->want_input(s->backend->context);
}

static void count_poll(struct serial *s)
{
    if (s->polls < POLLS_MEAN_READING && ++s->polls == POLLS_MEAN_READING)
        begin_listening(s);
}

/* It does something else: the count of polls begins anew, unless they have made it a listener. */
static void count_other(struct serial *s)
{
    if (s->polls < POLLS_MEAN_READING)
        s->polls = 0;
}

/* Bytes that wait in the receive FIFO. */
static unsigned received(struct serial *s)
{
    int pending;

    if (s->mcr & UART_MCR_LOOP)
        return s->loop_count;
    if (!listens(s))
        return 0;
    pending = s->backend->pending(s->backend->context);
    if (pending == INPUT_END)
        return s->ctrl_d_at_end && !s->end_delivered ? 1 : 0;
    return pending > SERIAL_FIFO_SIZE ? SERIAL_FIFO_SIZE : (unsigned)pending;
}

static unsigned trigger_level(const struct serial *s)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};

    return s->fcr & UART_FCR_ENABLE ? levels[s->fcr >> UART_FCR_TRIGGER_SHIFT] : 1;
}

/* The pending interrupt of the highest priority (data sheet, table 5). */
static uint8_t interrupt_id(struct serial *s)
{
    unsigned count;

    if ((s->ier & UART_IER_RLS) && s->overrun)
        return UART_IIR_RLS;
    count = s->ier & UART_IER_RDA ? received(s) : 0;
    if (count > 0)
        return count >= trigger_level(s) ? UART_IIR_RDA : UART_IIR_TIMEOUT;
    if ((s->ier & UART_IER_THRE) && s->thr_empty_pending)
        return UART_IIR_THRE;
    return UART_IIR_NONE;
}

/* OUT2 gates the interrupt on a PC; in loopback the outputs are cut off from the line. */
static void update_line(struct serial *s)
{
    bool line =
        (s->mcr & UART_MCR_OUT2) && !(s->mcr & UART_MCR_LOOP) && interrupt_id(s) != UART_IIR_NONE;

    if (line == s->line)
        return;
    s->line = line;
    s->backend->interrupt(s->backend->context, SERIAL_IRQ, line);
}

static uint8_t take_loop(struct serial *s)
{
    uint8_t byte = s->loop[0];

    if (s->loop_count == 0)
        return 0;
    memmove(s->loop, s->loop + 1, --s->loop_count);
    return byte;
}

/*
 * A lone read of an empty receiver gives 0 at once. An item of `rep insb` waits instead: the
 * instruction asks for a number of bytes, and there is no other way to deliver them. MUST_WAIT:
 * there is none yet.
 */
enum { MUST_WAIT = -1 };

static int take_byte(struct serial *s, bool wait)
{
    int byte;

    if (s->mcr & UART_MCR_LOOP)
        return take_loop(s);
    if (wait)
        begin_listening(s);
    else
        count_poll(s);
    if (!listens(s))
        return 0; /* a driver that starts reads whatever is there, and forgets it */
    byte = s->backend->input(s->backend->context);
    if (byte >= 0) {
        s->end_delivered = false; /* it was not the end: the guest has the input again */
        return (uint8_t)byte;
    }
    if (byte == INPUT_END && s->ctrl_d_at_end && !s->end_delivered) {
        s->end_delivered = true;
        return CTRL_D;
    }
    return byte == INPUT_NONE && wait ? MUST_WAIT : 0;
}

static void send_byte(struct serial *s, uint8_t byte)
{
    s->thr_empty_pending = false;
    update_line(s); /* the line falls and rises again, as an edge-triggered controller needs */
    if (!(s->mcr & UART_MCR_LOOP))
        s->backend->output(s->backend->context, &byte, 1);
    else if (s->loop_count < (s->fcr & UART_FCR_ENABLE ? SERIAL_FIFO_SIZE : 1))
        s->loop[s->loop_count++] = byte;
    else
        s->overrun = true;
    s->thr_empty_pending = true;
}

static uint8_t read_iir(struct serial *s)
{
    uint8_t id = interrupt_id(s);

    if (id == UART_IIR_THRE)
        s->thr_empty_pending = false; /* reading it is the acknowledgement */
    return id | (s->fcr & UART_FCR_ENABLE ? UART_IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct serial *s)
{
    uint8_t lsr = UART_LSR_THRE | UART_LSR_TEMT;

    if (!(s->mcr & UART_MCR_LOOP))
        count_poll(s);
    if (received(s) > 0)
        lsr |= UART_LSR_DR;
    if (s->overrun)
        lsr |= UART_LSR_OE;
    s->overrun = false;
    return lsr;
}

/* The other side hangs up, and the carrier is lost, once the end of input was delivered. It is
 * there again if input turns up after all, as when a terminal's focus comes back to this guest.
 * Nobody is interrupted for it, and the delta bits stay 0: a guest learns of it when it asks.
 * Loopback shows the guest its own outputs (data sheet, 8.6.4). */
static uint8_t read_msr(const struct serial *s)
{
    if (!(s->mcr & UART_MCR_LOOP))
        return UART_MSR_CTS | UART_MSR_DSR | (s->end_delivered ? 0 : UART_MSR_DCD);
    return (s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) | (s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
           (s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) | (s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static int read_register(struct serial *s, uint64_t offset, bool string)
{
    bool dlab = s->lcr & UART_LCR_DLAB;

    switch (offset) {
    case UART_DATA:
        return dlab ? s->divisor_low : take_byte(s, string);
    case UART_IER:
        return dlab ? s->divisor_high : s->ier;
    case UART_IIR:
        return read_iir(s);
    case UART_LCR:
        return s->lcr;
    case UART_MCR:
        return s->mcr;
    case UART_LSR:
        return read_lsr(s);
    case UART_MSR:
        return read_msr(s);
    default:
        return s->scr;
    }
}

static void write_ier(struct serial *s, uint8_t value)
{
    /* Turning the "transmitter empty" interrupt on while it is empty raises one at once. */
    if ((value & UART_IER_THRE) && !(s->ier & UART_IER_THRE))
        s->thr_empty_pending = true;
    s->ier = value & UART_IER_MASK;
    if (s->ier & UART_IER_RDA)
        s->backend->want_input(s->backend->context);
}

static void write_fcr(struct serial *s, uint8_t value)
{
    if ((value & UART_FCR_CLEAR_RX) || ((value ^ s->fcr) & UART_FCR_ENABLE))
        s->loop_count = 0;
    if (value & UART_FCR_CLEAR_RX)
        s->polls = 0; /* a driver starts or stops here */
    s->fcr = value;
}

static void write_register(struct serial *s, uint64_t offset, uint8_t value)
{
    bool dlab = s->lcr & UART_LCR_DLAB;

    switch (offset) {
    case UART_DATA:
        if (dlab)
            s->divisor_low = value;
        else
            send_byte(s, value);
        break;
    case UART_IER:
        if (dlab)
            s->divisor_high = value;
        else
            write_ier(s, value);
        break;
    case UART_FCR:
        write_fcr(s, value);
        break;
    case UART_LCR:
        s->lcr = value;
        break;
    case UART_MCR:
        s->mcr = value & UART_MCR_MASK;
        break;
    case UART_SCR:
        s->scr = value;
        break;
    default: /* LSR and MSR: writes are for factory tests only */
        break;
    }
}

/* What a guest reads over and over while it waits for input, or for the line to go. */
static bool is_look(uint64_t offset)
{
    return offset == UART_LSR || offset == UART_DATA || offset == UART_MSR;
}

static enum verdict serial_access(void *device, struct bus_access *access)
{
    struct serial *s = device;
    int value = 0;

    lock_take(&s->lock);
    if (access->write || !is_look(access->offset))
        count_other(s);
    if (access->write)
        write_register(s, access->offset, access->data[0]);
    else
        value = read_register(s, access->offset, access->string);
    update_line(s);
    lock_release(&s->lock);
    if (value == MUST_WAIT)
        return VERDICT_AGAIN;
    if (!access->write)
        access->data[0] = (uint8_t)value;
    return VERDICT_RESUME;
}

/* While DLAB is set the first two are the divisor's halves; they are called by what they mostly
 * are. */
static const char *const read_names[SERIAL_PORTS] = {"RBR", "IER", "IIR", "LCR",
                                                     "MCR", "LSR", "MSR", "SCR"};
static const char *const write_names[SERIAL_PORTS] = {"THR", "IER", "FCR", "LCR",
                                                      "MCR", "LSR", "MSR", "SCR"};
static const struct bus_registers registers = {.read = BUS_NAMES(read_names),
                                               .written = BUS_NAMES(write_names)};

const struct bus_ops serial_ops = {
    .name = "uart", .registers = &registers, .width = 1, .access = serial_access};

void serial_init(struct serial *serial, const struct backend *backend, bool ctrl_d_at_end)
{
    *serial = (struct serial){
        .backend = backend, .ctrl_d_at_end = ctrl_d_at_end, .divisor_low = 1, .lcr = 0x03};
    lock_init(&serial->lock);
}

void serial_input_ready(struct serial *serial)
{
    lock_take(&serial->lock);
    update_line(serial);
    lock_release(&serial->lock);
}
