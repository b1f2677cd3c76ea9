/*
 * The handlers of interrupts and exceptions, and the entries of system calls, at which the CPU
 * clears the trap flag.
 *
 * A CPU that is stepped by the trap flag clears it when it enters a handler, so the handler would
 * run unseen until its IRET; and the flags it saved on the stack have the trap flag set, which a
 * guest that switches stacks finds when it is not stepped any more. While a vCPU steps, each
 * handler therefore begins with a trap (traps.h), and the saved flags are put right there. Intel
 * SDM volume 3, 6.12.1, 6.14; volume 2, SYSCALL, SYSENTER.
 *
 */
#ifndef GDB_HANDLERS_H
#define GDB_HANDLERS_H

#include "watch/explain/snapshot.h"
#include "watch/gdb/traps.h"

enum { HANDLERS_MAX = 320 };

struct handler {
    gpa_t at;
    gva_t linear;
    uint64_t offset; /* in its code segment */
    int vector;      /* -1: an entry of system calls */
    bool syscall;    /* SYSCALL leads there: it saves the flags in R11 */
};

struct handlers {
    struct handler list[HANDLERS_MAX]; /* by ascending address, one of each */
    unsigned count;
};

/* Where system calls of a vCPU lead: MSRs LSTAR and CSTAR (by SYSCALL), and SYSENTER_EIP. */
enum { HANDLERS_LSTAR, HANDLERS_CSTAR, HANDLERS_SYSENTER, HANDLERS_CALLS };
extern const uint32_t handlers_call_msrs[HANDLERS_CALLS];

/* Adds those that gates of this vCPU's interrupt table lead to; the one of a single vector, if its
 * gate can be used; those of system calls. */
void handlers_add(struct handlers *handlers, const struct snapshot *s);
void handlers_add_vector(struct handlers *handlers, const struct snapshot *s, unsigned vector);
void handlers_add_calls(struct handlers *handlers, const struct snapshot *s,
                        const gva_t calls[HANDLERS_CALLS]);

/* The handler at `at`, or NULL. */
const struct handler *handlers_at(const struct handlers *handlers, gpa_t at);

/* At the first instruction of a handler: clears the trap flag in the flags that the CPU saved, on
 * the stack or in R11. */
void handlers_hide_trap_flag(const struct handler *handler, struct snapshot *s);

/* The same on top of the stack, after a PUSHF. */
void handlers_hide_pushed_flag(const struct snapshot *s);

/* Whether the code at CS:RIP is a PUSHF; a HLT. */
bool handlers_is_pushf(const struct snapshot *s);
bool handlers_is_halt(const struct snapshot *s);

/*
 * The local APIC's timer, for a vCPU that is stepped (Intel SDM volume 3, 11.5.4.1: TSC-deadline
 * mode, which is what Linux uses).
 *
 * A stepped guest is some thousand times slower than its clock. Its timer's handler alone takes
 * longer than the time until the timer is due again, so that it would do nothing else, and no
 * interrupt of lower priority would ever come through. Each deadline it sets is therefore moved
 * away; the guest sees a tick that came late, as on a busy host. Where KVM reports breakpoints and
 * watchpoints nothing runs in steps for long, and nothing is moved.
 */
enum { TIMER_MSR_TSC = 0x10, TIMER_MSR_DEADLINE = 0x6e0 };

/* Whether the instruction at CS:RIP sets the deadline. */
bool handlers_sets_timer(const struct snapshot *s);

/* The later deadline to set instead, by the guest's TSC; 0 (no deadline) stays 0. */
uint64_t handlers_later_deadline(uint64_t now, uint64_t deadline);

#endif
