/*
 * Asynchronous events of a guest with the VMM's interrupt controllers and timer (dev/pic.h,
 * dev/pit.h): a tick of the timer, an alarm of the clock, input at the serial port. They are
 * delivered only after an exit, or while the guest is in HLT, and are written to the tape there
 * (tape.h), so that a replay repeats them exactly. A guest that makes no exits gets no interrupt
 * meanwhile.
 *
 * Other threads request an event; the vCPU's thread delivers it. A VM with KVM's controllers needs
 * none of this.
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
    TICK_HALTED = 1 << 3, /* on the tape: delivered at a HLT, not after an exit */
};

/* From any thread. */
void ticks_ask(struct vm *vm, enum tick tick);
/* Input has arrived at the serial port of any VM, or its end: as a tick where the VM has the VMM's
 * controllers, else at once. From any thread. */
void ticks_input(struct vm *vm);
/* Whether TICK_TIME was requested and not delivered yet. */
bool ticks_are_asked(const struct vm *vm);
/* When to request TICK_TIME, by events_now(), or PIT_NEVER. */
uint64_t ticks_due(struct vm *vm);

/* After an exit: delivers what was requested, and interrupts the vCPU if possible. */
void ticks_let_in(struct vcpu *vcpu);
/* The vCPU is in HLT. VERDICT_AGAIN until an event is delivered. */
enum verdict ticks_halt(struct vcpu *vcpu) MUST_CHECK;
/* After a load of the vCPU: sets KVM's request for an interrupt window again. */
void ticks_loaded(struct vcpu *vcpu);

#endif
