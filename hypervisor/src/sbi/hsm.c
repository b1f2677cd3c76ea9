/* HSM (SBI 9): a guest starts, stops and suspends its harts. */
#include "sbi/sbi.h"

#include "vm/sched.h"
#include "vm/vm.h"

static void prepare(struct vcpu *v)
{
    vcpu_reset(v, v->resume_pc, v->resume_arg);
}

static struct sbi_result start(struct vcpu *v, const uint64_t a[6])
{
    struct vcpu *target = vm_vcpu(v->vm, a[0]);

    if (target == NULL)
        return sbi_error(SBI_INVALID_PARAM);
    if (!vm_contains(v->vm, a[1], 2) || (a[1] & 1) != 0)
        return sbi_error(SBI_INVALID_ADDRESS);
    if (__atomic_load_n(&target->state, __ATOMIC_ACQUIRE) != VCPU_STOPPED)
        return sbi_error(SBI_ALREADY_AVAILABLE);
    /* Two starters may race to here; one finds it started by the other. */
    lock_take(&v->vm->lock);
    target->resume_pc = a[1];
    target->resume_arg = a[2];
    bool good = sched_start(target, prepare);
    lock_drop(&v->vm->lock);
    return sbi_error(good ? SBI_SUCCESS : SBI_ALREADY_AVAILABLE);
}

static struct sbi_result status(struct vcpu *v, uint64_t hartid)
{
    struct vcpu *target = vm_vcpu(v->vm, hartid);
    uint64_t answer;

    if (target == NULL)
        return sbi_error(SBI_INVALID_PARAM);
    sched_lock();
    answer = target->state == VCPU_STOPPED                                      ? HSM_STOPPED
             : target->state == VCPU_BLOCKED && target->suspend != SUSPEND_NONE ? HSM_SUSPENDED
                                                                                : HSM_STARTED;
    sched_unlock();
    return sbi_value(answer);
}

static struct sbi_result suspend(struct vcpu *v, const uint64_t a[6])
{
    if (a[0] == SBI_SUSPEND_NON_RETENTIVE) {
        if (!vm_contains(v->vm, a[1], 2) || (a[1] & 1) != 0)
            return sbi_error(SBI_INVALID_ADDRESS);
        v->resume_pc = a[1];
        v->resume_arg = a[2];
        v->suspend = SUSPEND_NON_RETENTIVE;
    } else if (a[0] == SBI_SUSPEND_RETENTIVE) {
        v->suspend = SUSPEND_RETENTIVE;
    } else {
        return sbi_error(a[0] > ~0u ? SBI_INVALID_PARAM : SBI_NOT_SUPPORTED);
    }
    sched_block(v);
    return sbi_value(0);
}

struct sbi_result sbi_hsm(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    switch (function) {
    case HSM_START:
        return start(v, a);
    case HSM_STOP:
        sched_retire(v);
        return sbi_value(0); /* never seen: a start begins anew */
    case HSM_STATUS:
        return status(v, a[0]);
    case HSM_SUSPEND:
        return suspend(v, a);
    default:
        return sbi_error(SBI_NOT_SUPPORTED);
    }
}
