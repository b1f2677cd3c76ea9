/* The watcher of halted guests; see halt.h. */
#include "vm/halt.h"

/* What a vCPU contributes to the verdict. */
enum look { LOOK_ALIVE, LOOK_DEAD, LOOK_NOT_STARTED };

bool halt_is_watched(struct vm *vm)
{
    return vm->irqchip && vm_is_running(vm);
}

/*
 * A vCPU that has made progress since the last look is alive and left alone. Another one is asked
 * once. The answer holds until it makes progress again, so a guest that sleeps with interrupts on,
 * or computes without exits, is not kicked again. If KVM does not count halts (before Linux 5.14),
 * a halt without an exit does not show as progress, so each look asks again.
 */
static enum look look_at(struct vcpu *vcpu)
{
    uint64_t progress = vcpu_progress(vcpu);
    bool moved = progress != vcpu->watched_progress;
    enum kvm_halt halt =
        __atomic_load_n(&vcpu->halt, __ATOMIC_ACQUIRE); /* pairs with examine_halt */
    bool known = __atomic_load_n(&vcpu->examined, __ATOMIC_RELAXED) > 0 &&
                 __atomic_load_n(&vcpu->halt_progress, __ATOMIC_RELAXED) == progress;

    vcpu->watched_progress = progress;
    if (!moved && (!known || !kvm_counts_halts(&vcpu->cpu)))
        vcpu_kick(vcpu, VCPU_EXAMINE_HALT);
    if (moved || !known)
        return LOOK_ALIVE;
    return halt == KVM_HALT_DEAD            ? LOOK_DEAD
           : halt == KVM_HALT_NEVER_STARTED ? LOOK_NOT_STARTED
                                            : LOOK_ALIVE;
}

void halt_watch(struct vm *vm)
{
    unsigned dead = 0, alive = 0;

    if (vm_is_held(vm)) {
        vm->dead_looks = 0;
        return;
    }
    for (unsigned i = 0; i < vm->started; i++) {
        enum look look = look_at(&vm->vcpus[i]);

        alive += look == LOOK_ALIVE;
        dead += look == LOOK_DEAD;
    }
    if (alive > 0 || dead == 0) {
        vm->dead_looks = 0;
        return;
    }
    /* One vCPU may have woken another just before it halted for ever: ask all a second time. */
    if (vm->dead_looks++ == 0 && vm->started > 1) {
        for (unsigned i = 0; i < vm->started; i++)
            vcpu_kick(&vm->vcpus[i], VCPU_EXAMINE_HALT);
        return;
    }
    vm_stop(vm, END_HALT, 0, "%s", "");
}
