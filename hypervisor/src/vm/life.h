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
 * ends it. All of this time is charged to the VM, in steps.
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
/* Starts a VM that was created or has ended; false after an error message if it is in another
 * state, or its RAM cannot be allocated. */
bool life_start(struct vm *vm) MUST_CHECK;
/* Removes a VM, after it has ended; from now on it cannot be found. Called by the monitor, like the
 * two functions above. */
void life_destroy(struct vm *vm);
/* Requests `count` clones of the VM, which its worker makes; false after an error message.
 * `caller`: the vCPU that asked; it does not run meanwhile, and gets in a0 the error code and in a1
 * 0, or in a clone its number. NULL: no vCPU asked. */
bool life_clone(struct vm *vm, unsigned count, struct vcpu *caller) MUST_CHECK;
/* The same for a save to a disk (vm/save.h) that has not begun. */
bool life_save(struct vm *vm) MUST_CHECK;
/* There is no memory for a page that its vCPUs need: pauses the VM and prints that. */
void life_wait_for_memory(struct vm *vm, gpa_t gpa);

/* Ends its run: takes effect when its vCPUs have left the harts. From any hart. */
void life_stop(struct vm *vm, enum vm_end end);
/* Ends a VM that cannot continue, with a report about the vCPU that caused it; on that vCPU's
 * hart. */
void life_kill(struct vcpu *v, const char *format, ...) FMT_PRINTF(2, 3);

/* Pause a guest, and resume the vCPUs whose bits are set in `which`. False if it is in another
 * state. While it is being cloned it does not run: a pause then takes effect after that, and it
 * cannot be resumed. */
enum { LIFE_ALL = ~0u };
bool life_pause(struct vm *vm);
bool life_resume(struct vm *vm, uint32_t which);
/* Lists a VM in vms[] whose vCPUs and devices were filled in, prints the line, and resumes it as if
 * paused at `paused_at`. */
void life_publish(struct vm *vm, const char *format, ...) FMT_PRINTF(2, 3);
/* A vCPU of a paused VM has left its hart. */
void life_paused(struct vm *vm);

#endif
