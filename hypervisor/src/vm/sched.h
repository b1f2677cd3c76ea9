/*
 * Which vCPU runs on which hart: one queue for all harts, first come first served, with a time
 * slice when there are more vCPUs than harts. A guest's wfi gives the hart away then; otherwise it
 * waits on its hart as a real one would.
 */
#ifndef VM_SCHED_H
#define VM_SCHED_H

#include "vm/vcpu.h"

struct vm;

/* A hart's life from here on. */
__attribute__((noreturn)) void sched_run(void);

/* Something happened that `v` may be waiting for; or that its hart must look at, if it runs. */
void sched_wake(struct vcpu *v);
/* Makes a stopped vCPU runnable; false if it is not stopped. `prepare` runs under the lock. */
bool sched_start(struct vcpu *v, void (*prepare)(struct vcpu *v));
/* Are there more vCPUs than harts? */
bool sched_is_crowded(void);

/* The scheduler's lock, for states that belong to it. */
void sched_lock(void);
void sched_unlock(void);

/* For the vCPU that runs on this hart: what becomes of it when it leaves the guest. */
void sched_block(struct vcpu *v);  /* until an interrupt */
void sched_yield(struct vcpu *v);  /* to the end of the queue */
void sched_retire(struct vcpu *v); /* HSM stop */

/* Pauses and resumes a VM. False if it is not in the state for it. */
bool sched_pause(struct vm *vm);
bool sched_resume(struct vm *vm);
/* Takes a VM's vCPUs off the harts for good; vm_finish() follows on the last hart it was on. */
void sched_stop_vm(struct vm *vm);

/* The host's timer interrupt on this hart. */
void sched_timer(void);
/* The vCPU on this hart has a new timer: without Sstc the host's must follow it. */
void sched_arm(struct vcpu *v);

#endif
