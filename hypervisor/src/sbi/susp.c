/* SUSP (SBI 13): suspend to RAM. The last running vCPU goes to sleep; an interrupt that it had
 * enabled wakes it where it asked to be. */
#include "sbi/sbi.h"

#include "vm/sched.h"
#include "vm/vm.h"

static bool others_are_stopped(const struct vcpu *v)
{
    for (unsigned i = 0; i < v->vm->vcpu_count; i++)
        if (v->vm->vcpus[i] != v && v->vm->vcpus[i]->state != VCPU_STOPPED)
            return false;
    return true;
}

struct sbi_result sbi_susp(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    bool alone;

    if (function != 0)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (a[0] != 0) /* SUSPEND_TO_RAM; others are reserved or the platform's */
        return sbi_error(a[0] > ~0u || a[0] < 0x80000000 ? SBI_INVALID_PARAM : SBI_NOT_SUPPORTED);
    if (!vm_contains(v->vm, a[1], 2) || (a[1] & 1) != 0)
        return sbi_error(SBI_INVALID_ADDRESS);
    sched_lock();
    alone = others_are_stopped(v);
    sched_unlock();
    if (!alone)
        return sbi_error(SBI_DENIED);
    v->resume_pc = a[1];
    v->resume_arg = a[2];
    v->suspend = SUSPEND_NON_RETENTIVE;
    v->system_suspend = true;
    sched_block(v);
    return sbi_value(0);
}
