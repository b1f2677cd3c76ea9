/*
 * The machine as its device tree tells it: nothing about it is known beforehand. Filled once by the
 * boot hart, read-only afterwards.
 */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "common/fdt.h"
#include "lib/isa.h"
#include "lib/types.h"

enum { MACHINE_RANGES_MAX = 16, MACHINE_DISKS_MAX = 8 };

struct range {
    uint64_t start, size;
};

/* A device with registers and one interrupt line; base 0: not there. */
struct machine_device {
    uint64_t base;
    uint32_t interrupt;
};

struct machine {
    struct fdt fdt;
    const char *bootargs; /* "" where the boot loader gave none */
    struct range initrd;  /* size 0: none */
    struct range memory[MACHINE_RANGES_MAX];
    unsigned memory_count;
    struct range reserved[MACHINE_RANGES_MAX]; /* firmware and the like: never to be used */
    unsigned reserved_count;
    uint64_t hartids[CPUS_MAX];
    unsigned hart_count;
    unsigned harts_left_out;       /* more than CPUS_MAX, or without the H extension */
    uint64_t timebase;             /* ticks of `time` a second */
    char isa[ISA_SIZE];            /* what the first hart can do, written as riscv,isa is */
    uint32_t cbom_size, cboz_size; /* its cache blocks */
    struct machine_device uart;
    uint32_t uart_shift, uart_clock;
    struct machine_device finisher; /* sifive,test: ends the emulator with a status */
    struct machine_device plic;
    uint32_t plic_context[CPUS_MAX];                /* of hart i's S-mode; ~0: none */
    struct machine_device disks[MACHINE_DISKS_MAX]; /* virtio-mmio slots */
    unsigned disk_count;
};

extern struct machine machine;

/* Reads the device tree at `fdt`. 0, or a negative code after a line that says what is missing. */
int machine_read(const void *fdt) MUST_CHECK;

#endif
