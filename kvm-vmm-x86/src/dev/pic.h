/*
 * The interrupt controllers of a PC, a pair of 8259A (Intel 8259A data sheet), for a guest that has
 * the VMM's and not KVM's: edge-triggered lines, fixed priorities. Not here: rotating priorities,
 * polling, special mask and fully nested modes, and level-triggered lines.
 */
#ifndef DEV_PIC_H
#define DEV_PIC_H

#include "dev/bus.h"
#include "host/threads.h"

enum { PIC_FIRST_PORT = 0x20, PIC_SECOND_PORT = 0xa0, PIC_PORTS = 2, PIC_LINES = 16 };

struct pic_chip {
    uint8_t request, service, mask; /* a bit a line */
    uint8_t level;                  /* of the lines, as last set */
    uint8_t vector;                 /* of its line 0 */
    uint8_t expects;                /* the initialization command word that is next; 0: none */
    uint8_t has_icw4, is_single;    /* as ICW1 says */
    uint8_t auto_end;               /* to acknowledge an interrupt also ends it */
    uint8_t reads_service;          /* the command port reads `service`, and not `request` */
    uint8_t ready;                  /* it was initialized */
};

struct pic_state {
    struct pic_chip chips[2]; /* the second hangs on line 2 of the first */
};

struct pic {
    struct lock lock; /* protects everything below */
    struct pic_state state;
};

extern const struct bus_ops pic_first_ops, pic_second_ops;

void pic_init(struct pic *pic);

/* Callable from any thread. */
void pic_set_line(struct pic *pic, unsigned line, bool level);

/* Whether the processor is to be interrupted. */
bool pic_has_interrupt(struct pic *pic);
/* The processor acknowledges: returns the vector. There is an interrupt. */
uint8_t pic_acknowledge(struct pic *pic);
/* Whether a line can interrupt at all. */
bool pic_is_open(struct pic *pic);

#endif
