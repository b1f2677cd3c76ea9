/* A 16550A UART; see uart16550.h. Register layout and behaviour: PC16550D data sheet, section 8. */
#include "common/device/uart16550.h"

#include <stddef.h>

/* A guest that only prints reads LSR once or twice a byte, and a driver reads LSR and the data
 * register a few times at its start, to clear old interrupts. A guest that makes this many such
 * reads in a row, and no other access, waits for input. */
enum { POLLS_MEAN_READING = 8 };

_Static_assert(sizeof(struct uart16550_state) == 32, "the form that is saved");

static bool listens(const struct uart16550_state *s)
{
    return (s->ier & UART_IER_RDA) || s->polls == POLLS_MEAN_READING;
}

static void say_it_listens(const struct uart16550 *u)
{
    if (u->backend->listens != NULL)
        u->backend->listens(u->context);
}

static void begin_listening(struct uart16550 *u)
{
    u->state.polls = POLLS_MEAN_READING;
    say_it_listens(u);
}

static void count_poll(struct uart16550 *u)
{
    struct uart16550_state *s = &u->state;

    if (s->polls < POLLS_MEAN_READING && ++s->polls == POLLS_MEAN_READING)
        begin_listening(u);
}

/* Bytes that wait in the receive FIFO. */
static unsigned received(const struct uart16550 *u)
{
    unsigned waiting;

    if (u->state.mcr & UART_MCR_LOOP)
        return u->state.loop_count;
    if (!listens(&u->state))
        return 0;
    waiting = u->backend->waiting(u->context);
    return waiting > UART_FIFO_SIZE ? UART_FIFO_SIZE : waiting;
}

static unsigned trigger_level(const struct uart16550_state *s)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};

    return s->fcr & UART_FCR_ENABLE ? levels[s->fcr >> UART_FCR_TRIGGER_SHIFT] : 1;
}

/* The pending interrupt of the highest priority (data sheet, table 5). */
static uint8_t interrupt_id(const struct uart16550 *u)
{
    const struct uart16550_state *s = &u->state;
    unsigned count;

    if ((s->ier & UART_IER_RLS) && s->overrun)
        return UART_IIR_RLS;
    count = s->ier & UART_IER_RDA ? received(u) : 0;
    if (count > 0)
        return count >= trigger_level(s) ? UART_IIR_RDA : UART_IIR_TIMEOUT;
    if ((s->ier & UART_IER_THRE) && s->thr_empty_pending)
        return UART_IIR_THRE;
    return UART_IIR_NONE;
}

/* In loopback mode the outputs, OUT2 among them, do not reach the interrupt line. */
static void update_line(struct uart16550 *u)
{
    uint8_t mcr = u->state.mcr;
    bool gate = !u->out2_gates || ((mcr & UART_MCR_OUT2) && !(mcr & UART_MCR_LOOP));
    bool line = gate && interrupt_id(u) != UART_IIR_NONE;

    if (line == u->state.line)
        return;
    u->state.line = line;
    u->backend->line(u->context, line);
}

static uint8_t take_loop(struct uart16550_state *s)
{
    uint8_t byte = s->loop[0];

    if (s->loop_count == 0)
        return 0;
    s->loop_count--;
    for (unsigned i = 0; i < s->loop_count; i++)
        s->loop[i] = s->loop[i + 1];
    return byte;
}

/* A single read of an empty receiver gives 0 at once. So does a read by a guest that does not
 * listen: a driver reads and discards old bytes when it starts. */
static int take_byte(struct uart16550 *u, bool wait)
{
    int byte;

    if (u->state.mcr & UART_MCR_LOOP)
        return take_loop(&u->state);
    if (wait)
        begin_listening(u);
    else
        count_poll(u);
    if (!listens(&u->state))
        return 0;
    byte = u->backend->receive(u->context);
    if (byte >= 0)
        return byte & 0xff;
    return wait ? UART16550_MUST_WAIT : 0;
}

/* Lowers the interrupt line and raises it again, which an edge-triggered controller needs. */
static void send_byte(struct uart16550 *u, uint8_t byte)
{
    struct uart16550_state *s = &u->state;

    s->thr_empty_pending = false;
    if (s->line)
        update_line(u);
    if (!(s->mcr & UART_MCR_LOOP))
        u->backend->send(u->context, byte);
    else if (s->loop_count < (s->fcr & UART_FCR_ENABLE ? UART_FIFO_SIZE : 1))
        s->loop[s->loop_count++] = byte;
    else
        s->overrun = true;
    s->thr_empty_pending = true;
}

static uint8_t read_iir(struct uart16550 *u)
{
    uint8_t id = interrupt_id(u);

    if (id == UART_IIR_THRE)
        u->state.thr_empty_pending = false; /* reading it is the acknowledgement */
    return id | (u->state.fcr & UART_FCR_ENABLE ? UART_IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart16550 *u)
{
    uint8_t lsr = UART_LSR_THRE | UART_LSR_TEMT;

    if (!(u->state.mcr & UART_MCR_LOOP))
        count_poll(u);
    if (received(u) > 0)
        lsr |= UART_LSR_DR;
    if (u->state.overrun)
        lsr |= UART_LSR_OE;
    u->state.overrun = false;
    return lsr;
}

/* A carrier that is lost or comes back raises no interrupt, and the delta bits stay 0: the guest
 * must read this register. In loopback mode it shows the guest's own outputs (data sheet,
 * 8.6.4). */
static uint8_t read_msr(const struct uart16550_state *s)
{
    if (!(s->mcr & UART_MCR_LOOP))
        return UART_MSR_CTS | UART_MSR_DSR | (s->hung_up ? 0 : UART_MSR_DCD);
    return (s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) | (s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
           (s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) | (s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static int read_register(struct uart16550 *u, unsigned offset, bool wait)
{
    struct uart16550_state *s = &u->state;
    bool dlab = s->lcr & UART_LCR_DLAB;

    switch (offset) {
    case UART_DATA:
        return dlab ? s->divisor_low : take_byte(u, wait);
    case UART_IER:
        return dlab ? s->divisor_high : s->ier;
    case UART_IIR:
        return read_iir(u);
    case UART_LCR:
        return s->lcr;
    case UART_MCR:
        return s->mcr;
    case UART_LSR:
        return read_lsr(u);
    case UART_MSR:
        return read_msr(s);
    default:
        return s->scr;
    }
}

static void write_ier(struct uart16550 *u, uint8_t value)
{
    struct uart16550_state *s = &u->state;

    /* Enabling the "transmitter empty" interrupt while the transmitter is empty raises it at
     * once. */
    if ((value & UART_IER_THRE) && !(s->ier & UART_IER_THRE))
        s->thr_empty_pending = true;
    s->ier = value & UART_IER_MASK;
    if (s->ier & UART_IER_RDA)
        say_it_listens(u);
}

static void write_fcr(struct uart16550_state *s, uint8_t value)
{
    if ((value & UART_FCR_CLEAR_RX) || ((value ^ s->fcr) & UART_FCR_ENABLE))
        s->loop_count = 0;
    if (value & UART_FCR_CLEAR_RX)
        s->polls = 0; /* a driver starts or stops here */
    s->fcr = value;
}

static void write_register(struct uart16550 *u, unsigned offset, uint8_t value)
{
    struct uart16550_state *s = &u->state;
    bool dlab = s->lcr & UART_LCR_DLAB;

    switch (offset) {
    case UART_DATA:
        if (dlab)
            s->divisor_low = value;
        else
            send_byte(u, value);
        break;
    case UART_IER:
        if (dlab)
            s->divisor_high = value;
        else
            write_ier(u, value);
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

/* A guest that waits for input, or for the carrier to drop, reads LSR, the data register or MSR
 * again and again. Any other access sets the count of polls back to 0, unless the guest listens
 * already. */
static void begin_counting_again(struct uart16550_state *s)
{
    if (s->polls < POLLS_MEAN_READING)
        s->polls = 0;
}

int uart16550_read(struct uart16550 *uart, unsigned offset, bool wait)
{
    int value;

    if (offset != UART_LSR && offset != UART_DATA && offset != UART_MSR)
        begin_counting_again(&uart->state);
    value = read_register(uart, offset, wait);
    update_line(uart);
    return value;
}

/* Output of a byte that changes no interrupt: most accesses are of this kind. */
static bool is_plain_output(const struct uart16550_state *s, unsigned offset)
{
    return offset == UART_DATA && !(s->lcr & UART_LCR_DLAB) && !(s->mcr & UART_MCR_LOOP) &&
           !(s->ier & UART_IER_THRE) && !s->line;
}

static __attribute__((noinline)) void write_any(struct uart16550 *uart, unsigned offset,
                                                uint8_t value)
{
    write_register(uart, offset, value);
    update_line(uart);
}

void uart16550_write(struct uart16550 *uart, unsigned offset, uint8_t value)
{
    begin_counting_again(&uart->state);
    if (!is_plain_output(&uart->state, offset)) {
        write_any(uart, offset, value);
        return;
    }
    uart->state.thr_empty_pending = true;
    uart->backend->send(uart->context, value);
}

void uart16550_input_ready(struct uart16550 *uart)
{
    update_line(uart);
}

static const struct uart16550_state at_power_on = {.divisor_low = 1, .lcr = UART_LCR_8_BITS};

void uart16550_init(struct uart16550 *uart, const struct uart16550_backend *backend, void *context,
                    bool out2_gates)
{
    *uart = (struct uart16550){
        .state = at_power_on, .backend = backend, .context = context, .out2_gates = out2_gates};
}

void uart16550_reset(struct uart16550 *uart)
{
    bool line = uart->state.line;

    uart->state = at_power_on;
    if (line)
        uart->backend->line(uart->context, false);
}

bool uart16550_load(struct uart16550 *uart, const struct uart16550_state *state)
{
    if (state->loop_count > UART_FIFO_SIZE || state->polls > POLLS_MEAN_READING ||
        (state->ier & ~UART_IER_MASK) != 0 || (state->mcr & ~UART_MCR_MASK) != 0 ||
        state->thr_empty_pending > 1 || state->overrun > 1 || state->hung_up > 1 || state->line > 1)
        return false;
    uart->state = *state;
    uart->backend->line(uart->context, state->line); /* also if it has not changed */
    if (listens(state))
        say_it_listens(uart);
    return true;
}
