/* What the stub asks of the machine it serves. The VM implements it (vm_target.c); unit tests
 * and the fuzzer implement it with a few variables. All but `interrupt`, `kill` and `cpus` are
 * called only while the machine is stopped. */
#ifndef GDB_TARGET_H
#define GDB_TARGET_H

#include "base/memory.h"
#include "watch/explain/text.h"
#include "watch/gdb/breakpoints.h"
#include "watch/gdb/registers.h"

enum { GDB_CPUS_MAX = 64 };

/* How the guest is run backwards. */
enum travel_kind {
    TRAVEL_STEP,     /* one instruction */
    TRAVEL_CONTINUE, /* to the last breakpoint or watchpoint */
    TRAVEL_WHO /* to find the instruction that wrote there last; the guest stays where it is */
};

enum gdb_action { GDB_STAY, GDB_RUN, GDB_STEP };

/* Why the machine stopped. */
enum gdb_reason {
    GDB_STOPPED,     /* asked to: by Ctrl-C, by connecting */
    GDB_STEPPED,     /* after a single step */
    GDB_BREAK,       /* at a breakpoint, of `type` */
    GDB_WATCH,       /* a watchpoint, of `type`, at `address` */
    GDB_BEGIN,       /* backwards, at the beginning of the recording */
    GDB_CRASHED,     /* the guest cannot go on; continuing ends it */
    GDB_ENDED,       /* it is over: with `status` */
    GDB_ENDED_KILLED /* it is over: by signal `status` */
};

struct gdb_stop {
    enum gdb_reason reason;
    enum gdb_breakpoint_type type;
    unsigned cpu;
    gva_t address;
    int status;
    const char *text; /* said to the user before; NULL: nothing */
};

struct gdb_ops {
    unsigned (*cpus)(void *context);
    /* 0, or a negative errno. */
    int (*read_registers)(void *context, unsigned cpu, struct gdb_registers *to);
    int (*write_registers)(void *context, unsigned cpu, const struct gdb_registers *from);
    /* Memory at a linear address, as the vCPU sees it: how many bytes could be copied. */
    size_t (*read)(void *context, unsigned cpu, gva_t at, void *to, size_t length);
    size_t (*write)(void *context, unsigned cpu, gva_t at, const void *from, size_t length);
    /* 0, or a negative errno. */
    int (*insert)(void *context, unsigned cpu, const struct gdb_breakpoint *breakpoint);
    void (*remove)(void *context, const struct gdb_breakpoint *breakpoint);
    /* Lets each vCPU do what `actions` says. A stop is told by gdb_stub_stopped, later. */
    void (*resume)(void *context, const enum gdb_action *actions);
    void (*interrupt)(void *context);
    /* Runs the guest backwards; the stop is reported as after `resume`. `watched`: for TRAVEL_WHO.
     * Returns NULL, or why that is not possible; `why_not_back` returns that reason before. Both
     * may be NULL: it is never possible. */
    const char *(*go_back)(void *context, enum travel_kind kind,
                           const struct gdb_breakpoint *watched);
    const char *(*why_not_back)(void *context);
    /* Removes all breakpoints and lets everything run. */
    void (*detach)(void *context);
    void (*kill)(void *context);
    /* For people: a vCPU in a few words, what this KVM can do for a debugger, exits so far. */
    void (*describe_cpu)(void *context, unsigned cpu, struct text *text);
    void (*describe_means)(void *context, struct text *text);
    void (*describe_exits)(void *context, struct text *text);
};

#endif
