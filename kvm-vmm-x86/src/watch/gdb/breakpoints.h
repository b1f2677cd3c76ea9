/* The breakpoints and watchpoints that the debugger has set: the table, and how each is implemented
 * on a given KVM. */
#ifndef GDB_BREAKPOINTS_H
#define GDB_BREAKPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "cpu/probe.h"

/* Numbered as in the packets Z and z. Watchpoints for reads alone do not exist on x86. */
enum gdb_breakpoint_type {
    GDB_SOFTWARE,
    GDB_HARDWARE,
    GDB_WATCH_WRITE,
    GDB_WATCH_READ,
    GDB_WATCH_ACCESS
};

/* How it is implemented. */
enum gdb_means {
    GDB_BY_INT3,     /* an int3 in place of the instruction */
    GDB_BY_PORT,     /* a write to a port, which every KVM reports, in place of the instruction */
    GDB_BY_REGISTER, /* debug registers */
    GDB_BY_STEPS,    /* single steps, and a look after each */
};
const char *gdb_means_name(enum gdb_means means);

enum { GDB_CODE_LENGTH = 2 };

struct gdb_breakpoint {
    enum gdb_breakpoint_type type;
    gva_t address;
    uint32_t length; /* of a watchpoint */
    gpa_t place;     /* in RAM, as it was mapped when it was set; UINT64_MAX: it was not */
    uint8_t code[GDB_CODE_LENGTH]; /* the bytes there when it was set; only of one for execution */
    bool fits_port; /* GDB_BY_PORT would do: an instruction of the kernel, of two bytes or more */
    enum gdb_means means; /* as gdb_plan decided */
};

enum { GDB_BREAKPOINTS_MAX = 64, GDB_WATCH_LENGTH_MAX = 64, GDB_DEBUG_REGISTERS = 4 };

struct gdb_breakpoints {
    struct gdb_breakpoint list[GDB_BREAKPOINTS_MAX];
    unsigned count;
};

/* The debug registers to set (Intel SDM volume 3, 18.2), and whether there must be single steps. */
struct gdb_plan {
    uint64_t address[GDB_DEBUG_REGISTERS];
    uint64_t dr7;
    const struct gdb_breakpoint *owner[GDB_DEBUG_REGISTERS]; /* in the table the plan is for */
    unsigned used;
    bool steps;
};

/* Setting one that is there, and removing one that is not, changes nothing and is well (the
 * protocol asks for it). Adding: 0, -ENOSPC, or -EINVAL for a length that cannot be watched. */
int gdb_breakpoints_add(struct gdb_breakpoints *table, const struct gdb_breakpoint *breakpoint);
/* Where in the table it was (the last has taken its place), or -1. */
int gdb_breakpoints_remove(struct gdb_breakpoints *table, const struct gdb_breakpoint *breakpoint);

/* The breakpoint for execution at `address`, or NULL. */
const struct gdb_breakpoint *gdb_breakpoints_at(const struct gdb_breakpoints *table, gva_t address);

/* Decides the means of each and fills `plan`. -ENOSPC: there are not enough debug registers for
 * what the user wants in hardware. */
int gdb_plan(struct gdb_plan *plan, struct gdb_breakpoints *table,
             const struct probe_debug *features);

#endif
