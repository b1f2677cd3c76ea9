/* HSM (SBI 9) and SUSP (SBI 13): a guest starts, stops and suspends its harts, and itself. */
#include "sbi/extension.h"
#include "sbi/sbi.h"

static bool is_entry(const struct vcpu *v, uint64_t pc)
{
    return vm_contains(v->vm, pc, 2) && (pc & 1) == 0;
}

static struct sbi_result start(struct vcpu *v, const uint64_t a[6])
{
    struct vcpu *target = vm_vcpu(v->vm, a[0]);
    int64_t error = SBI_ALREADY_AVAILABLE;

    if (target == NULL)
        return sbi_error(SBI_INVALID_PARAM);
    if (!is_entry(v, a[1]))
        return sbi_error(SBI_INVALID_ADDRESS);
    /* If two vCPUs start it, the second finds it started and changes nothing. */
    lock_take(&v->vm->lock);
    if (sched_state(&target->task) == TASK_STOPPED && v->vm->state == VM_RUNNING) {
        vcpu_reset(target, a[1], a[2]);
        sched_start(&target->task);
        error = SBI_SUCCESS;
    }
    lock_drop(&v->vm->lock);
    return sbi_error(error);
}

static struct sbi_result status(struct vcpu *v, uint64_t hartid)
{
    const struct vcpu *target = vm_vcpu(v->vm, hartid);
    enum task_state state;

    if (target == NULL)
        return sbi_error(SBI_INVALID_PARAM);
    state = sched_state(&target->task);
    return sbi_value(state == TASK_STOPPED                                      ? HSM_STOPPED
                     : state == TASK_BLOCKED && target->suspend != SUSPEND_NONE ? HSM_SUSPENDED
                                                                                : HSM_STARTED);
}

/* A non-retentive suspend, of the hart or of the system. */
static struct sbi_result sleep_until_entry(struct vcpu *v, uint64_t pc, uint64_t argument)
{
    if (!is_entry(v, pc))
        return sbi_error(SBI_INVALID_ADDRESS);
    v->resume_pc = pc;
    v->resume_arg = argument;
    v->suspend = SUSPEND_NON_RETENTIVE;
    sched_block();
    return sbi_value(0);
}

static struct sbi_result suspend(struct vcpu *v, const uint64_t a[6])
{
    if (a[0] == SBI_SUSPEND_NON_RETENTIVE)
        return sleep_until_entry(v, a[1], a[2]);
    if (a[0] != SBI_SUSPEND_RETENTIVE) {
        bool reserved =
            (a[0] & (SBI_SUSPEND_NON_RETENTIVE - 1)) < SBI_SUSPEND_PLATFORM; /* retentive or not */

        return sbi_error(reserved ? SBI_INVALID_PARAM : SBI_NOT_SUPPORTED);
    }
    v->suspend = SUSPEND_RETENTIVE;
    sched_block();
    return sbi_value(0);
}

struct sbi_result sbi_hsm(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    switch (function) {
    case HSM_START:
        return start(v, a);
    case HSM_STOP:
        sse_stop(v);
        sched_retire();
        return sbi_value(0); /* never seen: HSM_START starts the vCPU at its entry */
    case HSM_STATUS:
        return status(v, a[0]);
    case HSM_SUSPEND:
        return suspend(v, a);
    default:
        return sbi_error(SBI_NOT_SUPPORTED);
    }
}

static bool others_are_stopped(const struct vcpu *v)
{
    for (unsigned i = 0; i < v->vm->vcpu_count; i++)
        if (v->vm->vcpus[i] != v && sched_state(&v->vm->vcpus[i]->task) != TASK_STOPPED)
            return false;
    return true;
}

/* Suspend to RAM: the last running vCPU sleeps until an interrupt that it has enabled, and then
 * resumes at the address that it gave. */
struct sbi_result sbi_susp(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    if (function != 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (a[0] != 0) /* others are reserved, or for the platform */
        return sbi_error(a[0] < 0x80000000 ? SBI_INVALID_PARAM : SBI_NOT_SUPPORTED);
    if (!others_are_stopped(v))
        return sbi_error(SBI_DENIED);
    return sleep_until_entry(v, a[1], a[2]);
}
