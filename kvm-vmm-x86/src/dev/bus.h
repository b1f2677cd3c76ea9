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
    uint64_t done;     /* by an access that takes several tries (VERDICT_AGAIN): how far it is, 0 at
                          first.     One that gets on is tried again at once */
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

/* What people call a device's registers. Only what is shown to the user depends on it. */
struct bus_registers {
    struct bus_names read, written;
    uint8_t stride; /* bytes from one register to the next; 0 counts as 1 */
    bool by_value;  /* a write is named by the byte written: a port that takes orders */
};

/* What a guest can have changed of a device, where that is one structure under one lock. */
struct bus_state {
    uint32_t version;                    /* of its saved form */
    uint32_t lock, at, size;             /* where in the device they are */
    const void *at_power_on;             /* NULL: zeroes */
    bool (*is_sound)(const void *state); /* whether a device can be in it; NULL: in any. Its address
                                            may be odd */
    void (*told)(void *device);          /* it was reset or loaded, and the lock is held; or NULL */
};
#define BUS_STATE_OF(type)                                                                         \
    .lock = offsetof(type, lock), .at = offsetof(type, state), .size = sizeof(((type *)NULL)->state)

/*
 * What a kind of device does. Constant, one per kind. Several vCPUs and the main thread may call at
 * once: a device protects what it has by a lock of its own, or has nothing that changes. What is
 * beside `access` is NULL where a device has nothing of the kind; of one with several ranges the
 * first has it.
 */
struct bus_ops {
    const char *name;
    const struct bus_registers *registers; /* NULL: it has one, without a name */
    uint8_t width; /* the widest access it understands; wider ones are split, as ISA does */
    enum verdict (*access)(void *device, struct bus_access *access) MUST_CHECK;
    /* By it a device is reset, saved and loaded where it has no call of its own for that: */
    const struct bus_state *state;
    /* As after power-on, its interrupt line low. */
    void (*reset)(void *device);
    /* Writes all that a guest can have changed, as chunks under that name. */
    void (*save)(void *device, const char *name, struct chunk_writer *writer);
    /* Takes one of these chunks; -1, and nothing has changed, if no device can be in that state. */
    int (*load)(void *device, const struct chunk *chunk, struct error *error);
    /* The machine stands still: the device begins nothing by itself until `resume`. False:
     * something is still under way; backend.wake is called when it may be over, to ask once more.
     */
    bool (*quiesce)(void *device);
    void (*resume)(void *device);
};

/* Registers told apart; what lies beyond shares the last place. */
enum { BUS_REGISTERS_MAX = 64 };

struct bus_range {
    enum bus_space space;
    uint64_t base, length;
    const struct bus_ops *ops;
    void *device;
};

/* Ports below BUS_LOW_PORTS, where a PC has its devices, are looked up and not searched for. */
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

/* Carries one access to its device; `access->offset` is set here. */
enum verdict bus_access(struct bus *bus, enum bus_space space, uint64_t address,
                        struct bus_access *access) MUST_CHECK;

#endif
