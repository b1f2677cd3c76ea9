/*
 * The keyboard controller of a PC behind ports 0x60 and 0x64, with a keyboard on it: Intel 8042 as
 * in IBM's PS/2 technical reference, sections "Keyboard and auxiliary device controller" and
 * "Keyboard". One port: no mouse. A20 is always open.
 */
#ifndef DEV_I8042_H
#define DEV_I8042_H

#include "dev/backend.h"
#include "dev/bus.h"
#include "dev/irq.h"
#include "host/threads.h"

#define I8042_DATA_PORT    0x60
#define I8042_COMMAND_PORT 0x64

enum { I8042_IRQ = 1, I8042_QUEUE_SIZE = 256, I8042_RAM = 32 };

/* Bytes on their way to the guest. */
struct i8042_queue {
    uint8_t bytes[I8042_QUEUE_SIZE];
    uint16_t head, used;
};

struct i8042_state {
    uint8_t ram[I8042_RAM];   /* byte 0 is the configuration */
    uint8_t command;          /* whose data byte is still to come, or 0 */
    uint8_t order;            /* the same for the keyboard */
    uint8_t last_was_command; /* what was written last went to the command port */
    uint8_t scanning;         /* the keyboard sends its keys */
    uint8_t full;             /* the output buffer */
    uint8_t output, last_sent;
    uint8_t reserved;
    struct i8042_queue replies;  /* of the controller */
    struct i8042_queue keyboard; /* what the keyboard sends; waits while its clock is off */
};

struct i8042 {
    const struct backend *backend;
    struct lock lock; /* protects everything below */
    struct irq_line irq;
    struct i8042_state state;
};

/* Two ranges, because ports 0x61 to 0x63 belong to other devices. */
extern const struct bus_ops i8042_data_ops, i8042_command_ops;

void i8042_init(struct i8042 *controller, const struct backend *backend, struct irq_line irq);

/* Presses and releases keys: queues `codes` of scan code set 1. False, and none is queued, if there
 * is no room for all or the guest has switched the keyboard off. Callable from any thread. */
bool i8042_press(struct i8042 *controller, const uint8_t *codes, size_t count);

#endif
