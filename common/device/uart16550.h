/*
 * A 16550A UART as a hypervisor emulates it: National Semiconductor PC16550D data sheet, section 8;
 * registers and bits are abi/uart16550.h.
 *
 * Both directions, FIFOs, loopback, modem lines and the interrupt line. Transmission takes no time.
 * The receive FIFO is a window on the guest's input, which its owner keeps: bytes enter the FIFO
 * when they are looked at, so no byte is ever overrun, and emptying the FIFO loses none that the
 * guest has not seen.
 *
 * The window is shut until the guest listens: while the receive interrupt is enabled, once it polls
 * (eight reads of LSR or the data register with no access but to MSR between), or with a read that
 * waits. Clearing the receive FIFO ends the listening that polls began. So a driver may probe and
 * reset the UART, which throws away what a real one has received by then, and input that came early
 * is all there when it is ready for it.
 *
 * Takes no lock: its owner calls it from one thread at a time.
 */
#ifndef COMMON_DEVICE_UART16550_H
#define COMMON_DEVICE_UART16550_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/uart16550.h"

/* The world around it. None of these may call the UART. */
struct uart16550_backend {
    /* Sends a byte of the guest's away. */
    void (*send)(void *context, uint8_t byte);
    /* Takes the next byte for the guest; -1: none yet. */
    int (*receive)(void *context);
    /* How many bytes receive() has, at least; more than a FIFO's are as good as that. */
    unsigned (*waiting)(void *context);
    /* The guest looks for input from now on. NULL: not wanted. */
    void (*listens)(void *context);
    /* The interrupt line rises or falls. */
    void (*line)(void *context, bool level);
};

/* All that a guest can have changed: plain data, which is what a saved UART consists of. */
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
    bool out2_gates; /* OUT2 lets the interrupt through, as on a PC; elsewhere it is always let */
};

/* As after power-on; the line is low. */
void uart16550_init(struct uart16550 *uart, const struct uart16550_backend *backend, void *context,
                    bool out2_gates);
/* The same later: lowers the line where it is up. */
void uart16550_reset(struct uart16550 *uart);

/* Reads the register at `offset` (0 to 7); `wait`: an item of a string instruction, which asks for
 * a number of bytes, and there is no other way to deliver them. Answers the value, or
 * UART16550_MUST_WAIT: nothing is there yet, and nothing has changed but that it listens. */
enum { UART16550_MUST_WAIT = -1 };
int uart16550_read(struct uart16550 *uart, unsigned offset, bool wait);
void uart16550_write(struct uart16550 *uart, unsigned offset, uint8_t value);

/* Input has arrived: raises the line where the guest asked for it. */
void uart16550_input_ready(struct uart16550 *uart);

/* Puts a saved state in place and sets the line by it; false, and nothing changed, if no UART can
 * be in it. */
bool uart16550_load(struct uart16550 *uart, const struct uart16550_state *state)
    __attribute__((warn_unused_result));

#endif
