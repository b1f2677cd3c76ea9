/*
 * What happens to a guest at a time of its own, where the interrupt controllers and the timer are
 * the VMM's (dev/pic.h, dev/pit.h): a tick of the timer, an alarm of the clock, input at the serial
 * port. It is let in only when an exit is over, or while the guest stands at a HLT, and is written
 * on the tape there (tape.h): so the same run comes again, interrupts and all. A guest that makes
 * no exits gets no interrupt meanwhile.
 *
 * Other threads ask; the vCPU's thread lets in. A VM with KVM's controllers needs none of this.
 */
#ifndef VM_TICKS_H
#define VM_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/verdict.h"

struct vcpu;
struct vm;

enum tick {
    TICK_TIME = 1 << 0,  /* the timer or the clock is due */
    TICK_INPUT = 1 << 1, /* there is input, or its end */
    TICK_END = 1 << 2,   /* the end of input may be let in (serial_look_for_end) */
    TICK_ALL = TICK_TIME | TICK_INPUT | TICK_END,
    TICK_HALTED = 1 << 3, /* on the tape: let in at a HLT, and not before it */
};

/* From any thread. */
void ticks_ask(struct vm *vm, enum tick tick);
/* Whether TICK_TIME is asked for, and not let in yet. */
bool ticks_are_asked(const struct vm *vm);
/* When to ask for TICK_TIME, by events_now(); PIT_NEVER. */
uint64_t ticks_due(struct vm *vm);

/* An exit is over: lets in what was asked for, and interrupts the vCPU if it can be. */
void ticks_let_in(struct vcpu *vcpu);
/* The vCPU stands at a HLT. VERDICT_AGAIN: until something is let in. */
enum verdict ticks_halt(struct vcpu *vcpu) MUST_CHECK;
/* The vCPU was loaded: KVM is told again what is wanted of it. */
void ticks_loaded(struct vcpu *vcpu);

#endif
