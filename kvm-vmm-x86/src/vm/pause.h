/*
 * A VM's gate: its vCPUs wait here outside of KVM, and other threads make them do so.
 *
 * A vCPU waits at the gate for input or for room to print (pause_wait), or because the VM is paused
 * (pause_park). A VM is paused while at least one holder wants it so: a debugger, a snapshot, the
 * user. Holders are counted, and each is told once every vCPU is out of the guest, with the
 * instruction finished that its last exit was in, and every device quiesced. An exit that waits for
 * input does not prevent a pause: it is tried again when the VM continues.
 *
 *     created -> running <-> paused -> ended
 *
 * The gate's lock is taken last, and nothing that could wait is called with it held.
 *
 *
 *
 */
#ifndef VM_PAUSE_H
#define VM_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/threads.h"

struct vcpu;
struct vm;

enum vm_state {
    VM_CREATED, /* no vCPU has a thread yet */
    VM_RUNNING, /* or about to be paused */
    VM_PAUSED,
    VM_ENDED, /* no vCPU has a thread any more */
};

/* A holder that keeps the VM paused. Owned by its user; it must stay in place while it holds. */
struct pause_holder {
    /* The VM is quiet: called once for each vm_pause, from the last vCPU's thread, with no lock
     * held. It may call vm_resume. Not called if the VM ends first. */
    void (*quiet)(void *context);
    void *context;
    bool holds, told; /* the gate's */
    struct pause_holder *next;
};

struct vm_gate {
    struct lock lock; /* protects what follows, and a vCPU's alive, parked and held */
    struct condition opened;
    uint64_t woken; /* counts vm_wake; also read without the lock: atomic */
    enum vm_state state;
    struct pause_holder *holders;
    bool notifying; /* a thread is notifying a holder that the VM is quiet */
    bool ending;    /* a vCPU was asked to stop, or has: it is never quiet again */
};

void pause_init(struct vm *vm);
enum vm_state vm_state(struct vm *vm);

/* From any thread. True: the VM is quiet already, and `quiet` is not called. Nothing happens if the
 * holder holds it. While another holder is being told, this one is told after it. */
bool vm_pause(struct vm *vm, struct pause_holder *holder);
void vm_resume(struct vm *vm, struct pause_holder *holder);

/* Whether the VM stands still for this holder: it was told so, or is about to be. */
bool vm_is_quiet(struct vm *vm, const struct pause_holder *holder);

/* A vCPU that is held stays where it is when the VM goes on. */
void vm_hold_vcpu(struct vcpu *vcpu, bool held);
/* Whether the VM or one of its vCPUs is held, so that it can make no progress. */
bool vm_is_held(struct vm *vm);

/* What a vCPU waits for may have come: those at the gate try their exits again. */
void vm_wake(struct vm *vm);

/* Asks something of the vCPU and interrupts it wherever it is, from any thread and at any time: one
 * without a thread finds the request when it gets one. */
enum vcpu_request { VCPU_STOP = 1 << 0, VCPU_EXAMINE_HALT = 1 << 1, VCPU_PAUSE = 1 << 2 };
void vcpu_kick(struct vcpu *vcpu, enum vcpu_request request);

/* Gives the vCPU a thread, which calls pause_thread_over as its last act. */
int pause_start_thread(struct vcpu *vcpu, void *(*run)(void *), void *argument,
                       struct error *error) MUST_CHECK;
void pause_thread_over(struct vcpu *vcpu);

/* For the vCPU's thread. Waits until vm_wake was called after `woken` was read: 0; -EINTR if a
 * request to the vCPU came first. */
int pause_wait(struct vcpu *vcpu, uint64_t woken) MUST_CHECK;
/* Answers VCPU_PAUSE: returns when the vCPU may go on, or is to stop for good. */
void pause_park(struct vcpu *vcpu);
/* KVM finishes the instruction that the last exit was in. If that makes a new exit, it is kept for
 * when the vCPU goes on. */
void pause_finish_exit(struct vcpu *vcpu);
/* The current exit is handled later, when the vCPU continues. */
void pause_keep_exit(struct vcpu *vcpu);
/* A write that waited is finished: the next part of its instruction becomes the current exit. */
void pause_next_part(struct vcpu *vcpu);
/* Drops the current exit: the vCPU continues from its registers. It must be out of the guest. */
void vm_drop_exit(struct vcpu *vcpu);

#endif
