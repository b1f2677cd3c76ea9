/*
 * The generation of a VM (Virtual Machine Generation ID; device tree binding microsoft,vmgenid): a
 * number that is another one in a clone. The guest's kernel is interrupted when it changes, and
 * stirs its random numbers; the line falls when it has looked.
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

/* Another number; `tell`: the guest is interrupted. */
void genid_renew(struct genid *genid, bool tell);

#endif
