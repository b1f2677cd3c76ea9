/*
 * A 16550A UART as a hypervisor emulates it: National Semiconductor PC16550D data sheet, section 8;
 * registers and bits are abi/uart16550.h.
 *
 * Both directions, FIFOs, loopback, modem lines and the interrupt line. Transmission takes no time.
 * The owner keeps the guest's input; a byte enters the receive FIFO only when the guest looks at
 * it. So the FIFO never overruns, and clearing it loses no byte that the guest has not seen.
 *
 * No input enters the FIFO until the guest listens. It listens while the receive interrupt is
 * enabled, after it has polled (eight reads of LSR or the data register, with no other access
 * between but to MSR), and during a read that waits. Clearing the receive FIFO ends the listening
 * that polls began. So a driver may probe and reset the UART: a real one would lose the input that
 * came before, this one delivers it when the driver is ready.
 *
 * Takes no lock: its owner calls it from one thread at a time.
 *
 *
 */
#ifndef COMMON_DEVICE_UART16550_H
#define COMMON_DEVICE_UART16550_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/uart16550.h"

/* What the UART calls. None of these functions may call the UART. */
struct uart16550_backend {
    /* Transmits a byte of the guest. */
    void (*send)(void *context, uint8_t byte);
    /* Takes the next byte for the guest; -1: none yet. */
    int (*receive)(void *context);
    /* At least how many bytes receive() can return now; a count above UART_FIFO_SIZE has no further
     * meaning. */
    unsigned (*waiting)(void *context);
    /* The guest looks for input from now on. NULL: not wanted. */
    void (*listens)(void *context);
    /* The interrupt line rises or falls. */
    void (*line)(void *context, bool level);
};

/* All state that a guest can change: plain data, which is saved and loaded as it is. */
struct uart16550_state {
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t divisor_low, divisor_high;
    uint8_t thr_empty_pending; /* a "transmitter empty" interrupt not yet acknowledged */
    uint8_t overrun;
    uint8_t polls;                /* reads of LSR or data in a row; at its limit: it listens */
    uint8_t hung_up;              /* the other end is closed: its owner sets it */
    uint8_t line;                 /* the interrupt line as last set */
    uint8_t loop[UART_FIFO_SIZE]; /* what loopback has sent and not yet received */
    uint8_t loop_count;
    uint8_t reserved[3];
};

struct uart16550 {
    struct uart16550_state state;
    const struct uart16550_backend *backend;
    void *context;   /* of the backend */
    bool out2_gates; /* MCR.OUT2 enables the interrupt line, as on a PC; false: it is always enabled
                      */
};

/* Initialises the UART as after power-on, with the interrupt line low. `backend` and `context` must
 * outlive it. */
void uart16550_init(struct uart16550 *uart, const struct uart16550_backend *backend, void *context,
                    bool out2_gates);
/* Resets it to that state; lowers the interrupt line if it is high. */
void uart16550_reset(struct uart16550 *uart);

/* Reads the register at `offset` (0 to 7); `wait`: the read is an item of a string instruction,
 * which must get a byte. Returns the value, or, with `wait`, UART16550_MUST_WAIT: no byte is there
 * yet, and nothing has changed but that the guest listens. Repeat the read after
 * uart16550_input_ready. */
enum { UART16550_MUST_WAIT = -1 };
int uart16550_read(struct uart16550 *uart, unsigned offset, bool wait);
void uart16550_write(struct uart16550 *uart, unsigned offset, uint8_t value);

/* Input has arrived: raises the line where the guest asked for it. */
void uart16550_input_ready(struct uart16550 *uart);

/* Loads a saved state and sets the interrupt line as it was then; where the input that waits may be
 * different now, uart16550_input_ready follows. False if no UART can be in that state; nothing is
 * changed then. */
bool uart16550_load(struct uart16550 *uart, const struct uart16550_state *state)
    __attribute__((warn_unused_result));

#endif
