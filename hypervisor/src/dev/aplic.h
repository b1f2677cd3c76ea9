/*
 * The interrupt controller of a guest that has an IMSIC: an APLIC that turns its devices' lines
 * into MSIs (RISC-V Advanced Interrupt Architecture 1.0, chapter 4), with one domain, for S-mode.
 * Not in it: delivery by wire, endianness, parent and child domains. It does not know vCPUs: `send`
 * writes an MSI to the interrupt file of a hart.
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
/* Sets a device's line; `aplic` is a struct aplic (the type of irq_line.set). If the driver chose
 * the rising edge, each call that sets the line counts as an edge, even if the line is high: a
 * device calls it for each interrupt, and none is lost. */
void aplic_set_source(void *aplic, unsigned source, bool level);

#endif
