/*
 * The interrupt controller of a guest that has an IMSIC: an APLIC that turns its devices' lines
 * into MSIs (RISC-V Advanced Interrupt Architecture 1.0, chapter 4), with one domain, which is
 * S-mode's. Not in it: delivery by wire, endianness, parents and children. Knows nothing of vCPUs:
 * `send` writes an MSI to a hart's file.
 */
#ifndef DEV_APLIC_H
#define DEV_APLIC_H

#include "dev/device.h"

enum { APLIC_SOURCES = 8 }; /* 0 is not used */
#define APLIC_SIZE 0x4000ul

struct aplic {
    uint64_t level; /* lines as the devices hold them, a bit a source */
    uint64_t pending, enabled;
    bool on; /* domaincfg.IE */
    uint8_t mode[APLIC_SOURCES];
    uint32_t target[APLIC_SOURCES];
    void (*send)(void *owner, unsigned hart, unsigned msi);
    void *owner;
};

extern const struct device_ops aplic_ops; /* state: struct aplic */

void aplic_reset(struct aplic *aplic);
/* A device's line; `aplic` is a struct aplic (the shape of irq_line.set). Where the driver chose
 * the rising edge, each call that sets the line is one: a device makes it for each of its reasons,
 * and one that comes before the last is acknowledged is not lost. */
void aplic_set_source(void *aplic, unsigned source, bool level);

#endif
