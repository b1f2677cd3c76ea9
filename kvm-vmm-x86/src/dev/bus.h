/*
 * The buses a guest reaches devices by: I/O ports and memory-mapped I/O. A device claims ranges; an
 * access that no device claims reads all ones and writes nothing, like a bus with nobody on it.
 */
#ifndef DEV_BUS_H
#define DEV_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/regs.h"
#include "error.h"

enum bus_space { BUS_PIO, BUS_MMIO, BUS_SPACES };

/* What becomes of the guest after an access. A device that says BUS_STOP has told why before. */
enum bus_verdict { BUS_RESUME, BUS_STOP };

/* What a device may see and change of the vCPU that reached it. */
struct bus_cpu {
    struct kvm_regs *regs;
    bool regs_changed; /* set by a device that wrote to `regs`: only then do they go back to KVM */
};

/* One access to one device. */
struct bus_access {
    uint64_t offset;     /* from the start of the device's range */
    uint8_t *data;       /* `size` bytes, little-endian: filled by a read, taken from by a write */
    uint8_t size;        /* 1, 2, 4 or 8 */
    bool write;          /* the guest writes */
    bool string;         /* one item of a string instruction (rep ins, rep outs) */
    struct bus_cpu *cpu; /* the vCPU that made it */
};

/* What a kind of device does. Constant, one per kind. */
struct bus_ops {
    const char *name;
    uint8_t width; /* the widest access it understands; wider ones are split, as ISA does */
    enum bus_verdict (*access)(void *device, struct bus_access *access) MUST_CHECK;
};

/* How often the guest reached a range, for --stats. */
struct bus_counters {
    uint64_t reads, writes;
};

struct bus_range {
    enum bus_space space;
    uint64_t base, length;
    const struct bus_ops *ops;
    void *device;
    struct bus_counters counters;
};

enum { BUS_RANGES_MAX = 32 };

struct bus {
    struct bus_range ranges[BUS_RANGES_MAX];
    unsigned count;
    struct bus_counters unclaimed[BUS_SPACES];
};

/* Claims [base, base + length). Refused when it is empty, wraps or overlaps another, or when the
 * table is full. */
int bus_claim(struct bus *bus, enum bus_space space, uint64_t base, uint64_t length,
              const struct bus_ops *ops, void *device, struct error *error) MUST_CHECK;

/* The range that holds `address`, or NULL. */
struct bus_range *bus_find(struct bus *bus, enum bus_space space, uint64_t address);

/* Carries one access to its device; `access->offset` is set here. */
enum bus_verdict bus_access(struct bus *bus, enum bus_space space, uint64_t address,
                            struct bus_access *access) MUST_CHECK;

#endif
