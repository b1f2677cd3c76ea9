/*
 * The life of VMs, from the manifest to the power switch:
 *
 *     CREATED -> LOADING -> RUNNING <-> PAUSED
 *                ^  ^ \        |        /
 *              start|  `-> STOPPING <--'
 *                |  `--reboot--'  `-> ENDED -> GONE
 *                `----------------------'
 *
 * The monitor creates, starts and destroys a VM. Its worker loads it, and once it is to stop waits
 * until its vCPUs have left the harts, resets its devices, frees its memory, and loads it again or
 * ends it. All of it is the VM's own time, in steps.
 */
#ifndef VM_LIFE_H
#define VM_LIFE_H

#include "common/fmt.h"
#include "vm/vcpu.h"

/* Makes a VM out of its description. NULL after one clear line where that fails; nothing is left
 * behind then. */
struct vm *life_create(const struct vm_config *config) MUST_CHECK;
/* The same, but it is not listed in vms[] until life_publish(). Another can be made only then, or
 * when this one was undone (vm/make.h). */
struct vm *life_make(const struct vm_config *config) MUST_CHECK;
/* Sets a VM going that was created or has ended: false after one clear line where it is in another
 * state, or its RAM cannot be allocated. */
bool life_start(struct vm *vm) MUST_CHECK;
/* Takes a VM away, once it has ended where it has not; nothing finds it any more. By the monitor,
 * as the former two. */
void life_destroy(struct vm *vm);
/* Asks for `count` clones of it, which its worker makes; false after one line where that cannot be.
 * A vCPU that is the `caller` is off its hart meanwhile, and finds in a0 and a1 whether they were
 * made, and 0, or in a clone its number; NULL: no vCPU asks. */
bool life_clone(struct vm *vm, unsigned count, struct vcpu *caller) MUST_CHECK;
/* The same for a save on a disk (vm/save.h), of which nothing is begun yet. */
bool life_save(struct vm *vm) MUST_CHECK;
/* There is no memory for a page that its vCPUs need: pauses it, and says so. */
void life_wait_for_memory(struct vm *vm, gpa_t gpa);

/* Ends its run: takes effect when its vCPUs have left the harts. From any hart. */
void life_stop(struct vm *vm, enum vm_end end);
/* Ends a VM that did what cannot go on, with a report of the vCPU that did it, on its hart. */
void life_kill(struct vcpu *v, const char *format, ...) FMT_PRINTF(2, 3);

/* Stops a guest's time, and lets it go on: those of its vCPUs that `which` has a bit for. False if
 * it is not in the state for it. While it is cloned it stands still: a pause takes effect then, and
 * it cannot be resumed. */
enum { LIFE_ALL = ~0u };
bool life_pause(struct vm *vm);
bool life_resume(struct vm *vm, uint32_t which);
/* Lists a VM in vms[] whose vCPUs and devices were filled in, prints that line, and lets it go on
 * from where it stood at `paused_at`. */
void life_publish(struct vm *vm, const char *format, ...) FMT_PRINTF(2, 3);
/* A vCPU of a paused VM has left its hart. */
void life_paused(struct vm *vm);

#endif
