/*
 * The generation of a VM (Virtual Machine Generation ID; device tree binding microsoft,vmgenid): a
 * number that differs in each clone. A change interrupts the guest's kernel, which reseeds its
 * random numbers; a read of the number lowers the line.
 */
#ifndef DEV_GENID_H
#define DEV_GENID_H

#include "dev/device.h"

enum { GENID_BYTES = 16 };
#define GENID_SIZE 0x1000ul

struct genid {
    struct irq_line irq;
    uint8_t id[GENID_BYTES];
};

extern const struct device_ops genid_ops; /* state: struct genid */

/* Sets a new number; `tell`: and interrupts the guest. */
void genid_renew(struct genid *genid, bool tell);

#endif
