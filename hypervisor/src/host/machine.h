/*
 * The machine as its device tree describes it. Filled once by the boot hart, read-only afterwards.
 */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "common/fdt.h"
#include "lib/isa.h"
#include "lib/types.h"

enum { MACHINE_RANGES_MAX = 32, MACHINE_VIRTIO_MAX = 8 };

/* A device with registers and one interrupt line; base 0: not there. */
struct machine_device {
    uint64_t base;
    uint32_t interrupt;
};

/* The interrupt controller of its harts' S-mode. */
enum machine_controller {
    CONTROLLER_NONE, /* none that is known */
    CONTROLLER_PLIC,
    CONTROLLER_APLIC, /* which interrupts harts by wire, */
    CONTROLLER_MSI    /* or writes to their IMSICs */
};

/* A hart's place at the interrupt controllers. */
struct machine_wiring {
    uint32_t context; /* the PLIC's, or the APLIC's number of the hart; ~0: none */
    hpa_t imsic;      /* its IMSIC's page for S-mode, its guests' behind it; 0: none */
};

/* Its serial port: registers of `width` bytes, 1 << shift apart; base 0: none that is known. */
struct machine_uart {
    uint64_t base;
    uint32_t interrupt, shift, width;
    bool sifive; /* SiFive's, else a ns16550 */
};

struct machine {
    struct fdt fdt;
    const char *bootargs; /* "" where the boot loader gave none */
    struct range initrd;  /* size 0: none */
    struct range memory[MACHINE_RANGES_MAX];
    unsigned memory_count;
    struct range reserved[MACHINE_RANGES_MAX]; /* used by firmware and the like */
    unsigned reserved_count;
    bool ranges_lost; /* there were more than MACHINE_RANGES_MAX */
    uint64_t hartids[CPUS_MAX];
    unsigned hart_count;
    unsigned harts_left_out;       /* more than CPUS_MAX, or without the H extension */
    uint64_t timebase;             /* ticks of `time` a second */
    char isa[ISA_SIZE];            /* the extensions of the first hart, in the form of riscv,isa */
    bool wide_accesses;            /* some hart has vectors, or floats of 16 or 128 bits */
    uint32_t cbom_size, cboz_size; /* its cache blocks */
    struct machine_uart uart;
    struct machine_device finisher; /* sifive,test: ends the emulator with a status */
    uint64_t epoch;                 /* nanoseconds since 1970 at time 0; 0: it has no clock */
    enum machine_controller controller;
    uint64_t controller_base; /* of the PLIC or the APLIC */
    struct machine_wiring wiring[CPUS_MAX];
    uint32_t imsic_ids, imsic_guest_ids; /* MSIs from 1 on, and those of guests' files */
    uint32_t imsic_guests;               /* guests' pages of a hart at most */
    struct machine_device virtio[MACHINE_VIRTIO_MAX]; /* virtio-mmio slots */
    unsigned virtio_count;
};

extern struct machine machine;

enum { NANOSECONDS = 1000000000 }; /* of a second */

/* Convert ticks of the `time` CSR to nanoseconds, and back. */
static inline uint64_t machine_nanoseconds(uint64_t ticks)
{
    return ticks / machine.timebase * NANOSECONDS +
           ticks % machine.timebase * NANOSECONDS / machine.timebase;
}

static inline uint64_t machine_ticks(uint64_t nanoseconds)
{
    return nanoseconds / NANOSECONDS * machine.timebase +
           nanoseconds % NANOSECONDS * machine.timebase / NANOSECONDS;
}

/* Nanoseconds since 1970 at `ticks`. */
static inline uint64_t machine_time(uint64_t ticks)
{
    return machine.epoch + machine_nanoseconds(ticks);
}

/* Reads the device tree at `fdt`. 0, or a negative code after an error message. */
int machine_read(const void *fdt) MUST_CHECK;

#endif
