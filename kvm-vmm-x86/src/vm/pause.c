/* The gate of a VM; see pause.h. */
#include "vm/pause.h"

#include <errno.h>
#include <string.h>

#include "host/events.h"
#include "host/kvm/debug.h"
#include "vm/vm.h"

void pause_init(struct vm *vm)
{
    lock_init(&vm->gate.lock);
    condition_init(&vm->gate.opened);
}

/* A VM that is about to end is not quiet, although its last vCPUs may still be parked. */
static bool is_quiet_locked(const struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpus_made; i++)
        if (vm->vcpus[i].alive && !vm->vcpus[i].parked)
            return false;
    return !vm->gate.ending;
}

/* A thread that has ended may have been joined, and must not be signalled. */
static void kick_locked(struct vcpu *vcpu, enum vcpu_request request)
{
    __atomic_fetch_or(&vcpu->requests, request, __ATOMIC_RELEASE);
    vcpu->vm->gate.ending |= request == VCPU_STOP;
    if (vcpu->alive)
        thread_kick(&vcpu->thread);
}

/* First sets the request, then sends the signal: a kick that comes too early only costs one more
 * round of the loop. */
void vcpu_kick(struct vcpu *vcpu, enum vcpu_request request)
{
    struct vm_gate *gate = &vcpu->vm->gate;

    lock_take(&gate->lock);
    kick_locked(vcpu, request);
    condition_wake_all(&gate->opened);
    lock_release(&gate->lock);
}

void vm_wake(struct vm *vm)
{
    lock_take(&vm->gate.lock);
    __atomic_fetch_add(&vm->gate.woken, 1, __ATOMIC_RELEASE); /* pairs with the read in vcpu.c */
    condition_wake_all(&vm->gate.opened);
    lock_release(&vm->gate.lock);
}

static struct pause_holder *untold_locked(const struct vm *vm)
{
    struct pause_holder *h = vm->gate.holders;

    while (h != NULL && h->told)
        h = h->next;
    return is_quiet_locked(vm) ? h : NULL;
}

/* Quiesces the devices, with the lock released meanwhile. They then start nothing by themselves
 * until a vCPU resumes. If a device still has requests in flight, it opens the gate when they are
 * done, and a parked vCPU tries again. `notifying` is set: one thread does this at a time. */
static bool quiesce_locked(struct vm *vm)
{
    uint64_t woken;
    bool quiet;

    do {
        woken = vm->gate.woken;
        lock_release(&vm->gate.lock);
        quiet = machine_quiesce(&vm->machine);
        lock_take(&vm->gate.lock);
    } while (!quiet && woken != vm->gate.woken);
    return quiet;
}

/* Tells the holders that the VM is quiet, one at a time, with the lock released meanwhile: a holder
 * that has not resumed keeps the VM quiet. Holders that come meanwhile are told by the same thread.
 */
static void notify_holders_locked(struct vm *vm)
{
    struct pause_holder *h;

    if (vm->gate.notifying)
        return;
    vm->gate.notifying = true;
    while (untold_locked(vm) != NULL && quiesce_locked(vm) && (h = untold_locked(vm)) != NULL) {
        h->told = true;
        vm->gate.state = VM_PAUSED;
        lock_release(&vm->gate.lock);
        h->quiet(h->context);
        lock_take(&vm->gate.lock);
    }
    vm->gate.notifying = false;
}

/* Whether the VM is quiet already, without waiting for any vCPU. The caller may hold locks, so no
 * other holder is told here: a parked vCPU does that. */
static bool is_quiet_at_once_locked(struct vm *vm)
{
    bool quiet;

    if (vm->gate.notifying || !is_quiet_locked(vm))
        return false;
    vm->gate.notifying = true;
    quiet = quiesce_locked(vm) && is_quiet_locked(vm);
    vm->gate.notifying = false;
    condition_wake_all(&vm->gate.opened);
    return quiet;
}

bool vm_pause(struct vm *vm, struct pause_holder *holder)
{
    struct vm_gate *gate = &vm->gate;
    bool quiet = false;

    lock_take(&gate->lock);
    if (!holder->holds) {
        holder->holds = true;
        holder->told = false;
        holder->next = gate->holders;
        gate->holders = holder;
        for (unsigned i = 0; i < vm->vcpus_made; i++)
            if (!vm->vcpus[i].parked)
                kick_locked(&vm->vcpus[i], VCPU_PAUSE);
        condition_wake_all(&gate->opened);
        quiet = is_quiet_at_once_locked(vm);
        holder->told = quiet;
        if (quiet && gate->state == VM_RUNNING)
            gate->state = VM_PAUSED;
    }
    lock_release(&gate->lock);
    return quiet;
}

void vm_resume(struct vm *vm, struct pause_holder *holder)
{
    struct vm_gate *gate = &vm->gate;
    struct pause_holder **link = &gate->holders;

    lock_take(&gate->lock);
    while (*link != NULL && *link != holder)
        link = &(*link)->next;
    if (*link != NULL)
        *link = holder->next;
    holder->holds = false;
    if (gate->holders == NULL && gate->state == VM_PAUSED)
        gate->state = VM_RUNNING;
    condition_wake_all(&gate->opened);
    lock_release(&gate->lock);
    events_wake(); /* the main thread starts the VM's timers again */
}

bool vm_is_quiet(struct vm *vm, const struct pause_holder *holder)
{
    LOCK_FOR_BLOCK(&vm->gate.lock);
    return holder->holds && holder->told && !vm->gate.ending;
}

void vm_hold_vcpu(struct vcpu *vcpu, bool held)
{
    struct vm_gate *gate = &vcpu->vm->gate;

    lock_take(&gate->lock);
    vcpu->held = held;
    if (held && !vcpu->parked)
        kick_locked(vcpu, VCPU_PAUSE);
    condition_wake_all(&gate->opened);
    lock_release(&gate->lock);
}

bool vm_is_held(struct vm *vm)
{
    bool held;

    lock_take(&vm->gate.lock);
    held = vm->gate.holders != NULL;
    for (unsigned i = 0; i < vm->vcpus_made; i++)
        held |= vm->vcpus[i].held;
    lock_release(&vm->gate.lock);
    return held;
}

enum vm_state vm_state(struct vm *vm)
{
    enum vm_state state;

    lock_take(&vm->gate.lock);
    state = vm->gate.state;
    lock_release(&vm->gate.lock);
    return state;
}

/* The lock is held, so that a kick either comes before the thread, which then finds the request, or
 * reaches the thread. Each thread begins parked, and leaves when there is no holder. */
int pause_start_thread(struct vcpu *vcpu, void *(*run)(void *), void *argument, struct error *error)
{
    struct vm_gate *gate = &vcpu->vm->gate;
    int result;

    lock_take(&gate->lock);
    vcpu->parked = true;
    __atomic_fetch_or(&vcpu->requests, VCPU_PAUSE, __ATOMIC_RELAXED);
    result = thread_start(&vcpu->thread, run, argument, error);
    vcpu->alive = result == 0;
    if (vcpu->alive)
        gate->state = gate->holders != NULL && is_quiet_locked(vcpu->vm) ? VM_PAUSED : VM_RUNNING;
    lock_release(&gate->lock);
    return result;
}

void pause_thread_over(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    bool alive = false;

    lock_take(&vm->gate.lock);
    vcpu->alive = vcpu->parked = false;
    vm->gate.ending = true;
    for (unsigned i = 0; i < vm->vcpus_made; i++)
        alive |= vm->vcpus[i].alive;
    if (!alive)
        vm->gate.state = VM_ENDED;
    notify_holders_locked(vm);
    lock_release(&vm->gate.lock);
}

static unsigned requests_of(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE);
}

int pause_wait(struct vcpu *vcpu, uint64_t woken)
{
    struct vm_gate *gate = &vcpu->vm->gate;
    bool asked;

    lock_take(&gate->lock);
    while (!(asked = requests_of(vcpu) != 0) && gate->woken == woken)
        condition_wait(&gate->opened, &gate->lock);
    lock_release(&gate->lock);
    return asked ? -EINTR : 0;
}

void pause_keep_exit(struct vcpu *vcpu)
{
    vcpu->again = true;
    vcpu->woken = UINT64_MAX; /* it need not wait at the gate */
}

void vm_drop_exit(struct vcpu *vcpu)
{
    vcpu->again = vcpu->counted = false;
    vcpu->items_done = vcpu->part_count = 0;
    vcpu->for_bus.done = 0;
    vcpu->unfinished.rip = UINT64_MAX;
}

void pause_next_part(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->cpu.run;

    vcpu->counted = false;
    if (vcpu->part_count == 0)
        return;
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.is_write = 1;
    run->mmio.phys_addr = vcpu->parts[0].address;
    run->mmio.len = vcpu->parts[0].size;
    memcpy(run->mmio.data, vcpu->parts[0].bytes, sizeof run->mmio.data);
    vcpu->part_count--;
    memmove(vcpu->parts, vcpu->parts + 1, vcpu->part_count * sizeof vcpu->parts[0]);
    pause_keep_exit(vcpu);
    vcpu->counted = true; /* all parts count as one exit */
}

void pause_finish_exit(struct vcpu *vcpu)
{
    if (vcpu->again || kvm_finish_exit(&vcpu->cpu) != 0)
        return;
    if (!observers_take_exit(vcpu))
        pause_keep_exit(vcpu);
}

void pause_park(struct vcpu *vcpu)
{
    struct vm_gate *gate = &vcpu->vm->gate;

    if (!vcpu->parked) /* only this thread changes it */
        pause_finish_exit(vcpu);
    lock_take(&gate->lock);
    vcpu->parked = true;
    notify_holders_locked(vcpu->vm);
    while ((gate->holders != NULL || vcpu->held) && !(requests_of(vcpu) & VCPU_STOP)) {
        condition_wait(&gate->opened, &gate->lock);
        notify_holders_locked(vcpu->vm);
    }
    vcpu->parked = false;
    /* Clears the request, which may have come twice for this pause; a new pause will set it again.
     */
    __atomic_fetch_and(&vcpu->requests, ~(unsigned)VCPU_PAUSE, __ATOMIC_RELAXED);
    lock_release(&gate->lock);
    machine_resume(&vcpu->vm->machine); /* no holder is told until this vCPU parks again */
}
