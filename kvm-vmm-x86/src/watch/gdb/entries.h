/*
 * Where the CPU goes by itself: the handlers of interrupts and exceptions, and the entry of system
 * calls.
 *
 * A CPU that is stepped by the trap flag clears it when it enters a handler, so the handler would
 * run unseen until its IRET; and the flags it saved on the stack have the trap flag set, which a
 * guest that switches stacks finds when nobody steps it any more. While a vCPU steps, each handler
 * therefore begins with a trap (traps.h), and the saved flags are put right there. Intel SDM volume
 * 3, 6.12.1, 6.14; volume 2, SYSCALL, SYSENTER.
 */
#ifndef DEBUG_ENTRIES_H
#define DEBUG_ENTRIES_H

#include "watch/explain/snapshot.h"
#include "watch/gdb/traps.h"

enum { ENTRIES_MAX = 320 };

struct entry {
    gpa_t at;
    bool syscall; /* SYSCALL leads there: it saves the flags in R11 */
};

struct entries {
    struct entry list[ENTRIES_MAX];
    unsigned count;
};

/* Where system calls of a vCPU lead: MSRs LSTAR and CSTAR (by SYSCALL), and SYSENTER_EIP. */
enum { ENTRIES_LSTAR, ENTRIES_CSTAR, ENTRIES_SYSENTER, ENTRIES_CALLS };

/* Adds the handlers that this vCPU's tables name. */
void entries_add(struct entries *entries, const struct snapshot *s, const struct memory *memory,
                 const gva_t calls[ENTRIES_CALLS]);
/* The entry at `at`, or NULL. */
const struct entry *entries_at(const struct entries *entries, gpa_t at);

/* At the first instruction of a handler: clears the trap flag in the flags that the CPU saved, on
 * the stack or in R11. */
void entries_hide_trap_flag(const struct entry *entry, struct snapshot *s,
                            const struct memory *memory);

/* The same on top of the stack, after a PUSHF. */
void entries_hide_pushed_flag(const struct snapshot *s, const struct memory *memory);

/* Whether the code at CS:RIP is a PUSHF. */
bool entries_is_pushf(const struct snapshot *s, const struct memory *memory);

#endif
