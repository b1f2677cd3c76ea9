/*
 * The interval timer of a PC, an 8254 (Intel 8254 data sheet), for a guest that has the VMM's and
 * not KVM's. Counter 0 interrupts, in modes 0, 2 and 3; the others only count, their gates open.
 * Not here: counting in BCD, modes 1, 4 and 5 (which count as mode 0 does, without interrupt), and
 * the speaker's port.
 */
#ifndef DEV_PIT_H
#define DEV_PIT_H

#include "dev/backend.h"
#include "dev/bus.h"
#include "dev/irq.h"
#include "host/threads.h"

enum { PIT_PORT = 0x40, PIT_PORTS = 4, PIT_COUNTERS = 3, PIT_HZ = 1193182 };

#define PIT_NEVER UINT64_MAX

struct pit_counter {
    uint64_t begun;   /* backend.now() when counting began */
    uint64_t periods; /* that were over at the last interrupt */
    uint32_t reload;  /* 1 to 65536; 0: it does not count */
    uint16_t latch;
    uint8_t mode;
    uint8_t halves;  /* bit 0: the low byte is read and written; bit 1: the high one */
    uint8_t latched; /* bytes of `latch` that are to be read */
    uint8_t status, status_latched;
    uint8_t low, low_given; /* the low byte was written; the high one follows */
    uint8_t reads_high;     /* the next byte to be read is the high one */
};

struct pit_state {
    struct pit_counter counters[PIT_COUNTERS];
};

struct pit {
    const struct backend *backend;
    struct lock lock; /* protects everything below */
    struct irq_line irq;
    struct pit_state state;
};

extern const struct bus_ops pit_ops;

void pit_init(struct pit *pit, const struct backend *backend, struct irq_line irq);

/* When it interrupts next, by backend.now(), or PIT_NEVER. Callable from any thread. */
uint64_t pit_due(struct pit *pit);
/* Raises one interrupt if one is due; missed periods are lost. */
void pit_tick(struct pit *pit);

#endif
