/*
 * The buses a guest reaches devices by: I/O ports and memory-mapped I/O. A device claims ranges; an
 * access that no device claims reads all ones and writes nothing, like a bus without devices.
 */
#ifndef DEV_BUS_H
#define DEV_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/chunk.h"
#include "base/error.h"
#include "base/regs.h"
#include "base/verdict.h"

enum bus_space { BUS_PIO, BUS_MMIO, BUS_SPACES };

/* What a device may see and change of the vCPU that reached it. */
struct bus_cpu {
    struct kvm_regs *regs;
    bool regs_changed; /* set by a device that wrote to `regs`: only then do they go back to KVM */
    uint64_t done; /* progress of an access that takes several tries (VERDICT_AGAIN), 0 at first. If
                      it grows, the access is tried again at once */
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

struct bus_names {
    const char *const *names; /* NULL where one has none */
    unsigned count;
};
#define BUS_NAMES(array)                                                                           \
    {                                                                                              \
        (array), sizeof(array) / sizeof(array)[0]                                                  \
    }

/* The names of a device's registers. Only reports use them. */
struct bus_registers {
    struct bus_names read, written;
    uint8_t stride; /* bytes from one register to the next; 0 counts as 1 */
    bool by_value;  /* a write is named by the byte written: a port that takes commands */
};

/* The state of a device that the guest can change, if it is one structure under one lock. */
struct bus_state {
    uint32_t version;                    /* of its saved form */
    uint32_t lock, at, size;             /* where in the device they are */
    const void *at_power_on;             /* NULL: zeroes */
    bool (*is_sound)(const void *state); /* whether the state is possible; NULL: any is. `state` may
                                            be unaligned */
    void (*told)(void *device); /* called with the lock held after a reset or load; or NULL */
};
#define BUS_STATE_OF(type)                                                                         \
    .lock = offsetof(type, lock), .at = offsetof(type, state), .size = sizeof(((type *)NULL)->state)

/*
 * What a kind of device does. Constant, one per kind. Several vCPUs and the main thread may call at
 * once: a device protects its state by its own lock, or has no state. Functions other than `access`
 * are NULL if a device does not need them; of a device with several ranges only the first has them.
 */
struct bus_ops {
    const char *name;
    const struct bus_registers *registers; /* NULL: it has one, without a name */
    uint8_t width; /* the widest access it understands; wider ones are split, as ISA does */
    enum verdict (*access)(void *device, struct bus_access *access) MUST_CHECK;
    /* How the device is reset, saved and loaded, if it has none of the three functions below: */
    const struct bus_state *state;
    /* Sets the state after power-on, with the interrupt line low. */
    void (*reset)(void *device);
    /* Writes all state that a guest can change, as chunks of that name. */
    void (*save)(void *device, const char *name, struct chunk_writer *writer);
    /* Loads one of these chunks; -1 if the state is impossible, and nothing is changed. */
    int (*load)(void *device, const struct chunk *chunk, struct error *error);
    /* The machine is paused: the device begins nothing by itself until `resume`. False: requests
     * are still in flight; backend.wake is called when they may be finished, to call this again. */
    bool (*quiesce)(void *device);
    void (*resume)(void *device);
};

/* Registers that are counted separately; those beyond share the last count. */
enum { BUS_REGISTERS_MAX = 64 };

struct bus_range {
    enum bus_space space;
    uint64_t base, length;
    const struct bus_ops *ops;
    void *device;
};

/* Ports below BUS_LOW_PORTS, where a PC has its devices, are found by a table, others by a
 * search. */
enum { BUS_RANGES_MAX = 48, BUS_LOW_PORTS = 4096 };

struct bus {
    struct bus_range ranges[BUS_RANGES_MAX];
    unsigned count, memory_count;     /* all of them, and those of memory */
    uint8_t memory[BUS_RANGES_MAX];   /* the indices of these */
    uint8_t low_ports[BUS_LOW_PORTS]; /* 1 + the index of the range there; 0: no device */
};

/* Claims [base, base + length). Refused when it is empty, wraps or overlaps another, or when the
 * table is full. */
int bus_claim(struct bus *bus, enum bus_space space, uint64_t base, uint64_t length,
              const struct bus_ops *ops, void *device, struct error *error) MUST_CHECK;

/* The range that holds `address`, or NULL. */
struct bus_range *bus_find(struct bus *bus, enum bus_space space, uint64_t address);

/* Which register of a range an access at `offset` reaches: an index of its names. */
unsigned bus_register(const struct bus_range *range, uint64_t offset, bool write, uint8_t value);

/* The name of that register, or NULL. */
const char *bus_register_name(const struct bus_range *range, unsigned index, bool write);

void bus_reset(const struct bus_ops *ops, void *device);
void bus_save(const struct bus_ops *ops, void *device, const char *name,
              struct chunk_writer *writer);
int bus_load(const struct bus_ops *ops, void *device, const struct chunk *chunk,
             struct error *error) MUST_CHECK;

/* Passes one access to its device, and sets `access->offset`. */
enum verdict bus_access(struct bus *bus, enum bus_space space, uint64_t address,
                        struct bus_access *access) MUST_CHECK;

#endif
