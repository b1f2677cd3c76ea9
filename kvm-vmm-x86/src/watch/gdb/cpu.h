/* A vCPU's own part of being debugged; see debug.h. */
#ifndef DEBUG_CPU_H
#define DEBUG_CPU_H

#include "cpu/regs.h"
#include "watch/gdb/target.h"

/* What a vCPU's own part is. Written under debug.lock, but for what only its thread uses. */
struct debug_cpu {
    bool parked;
    bool passed;    /* since the last stop it has stepped over the breakpoint it was at */
    bool has_event; /* it stopped for a reason that the debugger was not yet told */
    struct gdb_stop event;
    enum gdb_action action;
    /* its thread only: */
    uint32_t control;      /* KVM_GUESTDBG_* in force; 0: none */
    bool reinject;         /* an int3 of the guest's own goes on to the guest */
    bool looked;           /* what follows is about the next instruction */
    bool pushes_flags;     /* it is a PUSHF */
    bool sets_timer;       /* it sets the local APIC's deadline */
    unsigned touches;      /* it accesses what is watched: 1 + index in the table; 0: it does not */
    unsigned calm;         /* single steps to go before it is interrupted again */
    uint64_t steps, traps; /* exits that were the debugger's: for `monitor exits` */
    bool crash_told;       /* the debugger has seen the crash that the exit is */
    struct kvm_dtable idt; /* that the entries were taken from */
};

#endif
