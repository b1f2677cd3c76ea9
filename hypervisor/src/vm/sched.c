/* The scheduler; see sched.h. */
#include "vm/sched.h"

#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/lock.h"
#include "mon/host_interrupt.h"
#include "vm/runqueue.h"
#include "vm/trap.h"
#include "vm/vm.h"

enum { SLICES_PER_SECOND = 250 };

/* What the vCPU on a hart does next; written by its own hart alone. */
enum intent { KEEP, YIELD, BLOCK, RETIRE };

static struct lock lock; /* guards the queue, and what vcpu.h, vm.h and cpu.h put under it */
static struct runqueue ready;
static uint32_t crowded;
static enum intent intents[CPUS_MAX];

void sched_lock(void)
{
    lock_take(&lock);
}

void sched_unlock(void)
{
    lock_drop(&lock);
}

bool sched_is_crowded(void)
{
    return __atomic_load_n(&crowded, __ATOMIC_RELAXED) != 0;
}

static enum vm_state vm_state(const struct vm *vm)
{
    return __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);
}

/* ---- Time ---- */

static uint64_t slice_end(void)
{
    return sched_is_crowded() ? hyp_time() + machine.timebase / SLICES_PER_SECOND : ~0ul;
}

/* When this hart must next look up: the end of the slice, its guest's timer where the guest has
 * none of its own, the vCPUs that it watches, and a serial port that cannot interrupt. */
static uint64_t next_event(const struct cpu *cpu)
{
    uint64_t when = min64(cpu->current != NULL ? cpu->slice_end : ~0ul, host_interrupt_next_poll());

    if (cpu->current != NULL && !features.sstc && cpu->current->soft_timer != ~0ul)
        when = min64(when, cpu->current->soft_timer - cpu->current->vm->time_delta);
    for (unsigned i = 0; i < vm_count; i++) {
        const struct vm *vm = vms[i];

        if (vm == NULL || vm_state(vm) != VM_RUNNING)
            continue;
        for (unsigned j = 0; j < vm->vcpu_count; j++)
            if (vm->vcpus[j]->state == VCPU_BLOCKED && vm->vcpus[j]->home == cpu->index)
                when = min64(when, vm->vcpus[j]->wake_at);
    }
    return when;
}

static void arm_timer(void)
{
    uint64_t when;

    lock_take(&lock);
    when = next_event(cpu_self());
    lock_drop(&lock);
    if (features.host_sstc)
        csr_write(CSR_STIMECMP, when);
    else
        firmware_set_timer(when);
}

/* ---- The queue; the lock is held ---- */

static void wake_idle_hart(const struct vcpu *v)
{
    struct cpu *cpu = v->last_cpu;

    for (unsigned i = 0; (cpu == NULL || !cpu->idle) && i < cpu_count; i++)
        cpu = &cpus[i];
    if (!cpu->idle)
        return;
    cpu->idle = false;
    cpu_kick(cpu);
}

static void enqueue(struct vcpu *v)
{
    v->state = VCPU_READY;
    if (v->vm->state != VM_RUNNING)
        return; /* sched_resume() will */
    runqueue_put(&ready, v);
    wake_idle_hart(v);
}

static void kick_vm(const struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        if (vm->vcpus[i]->cpu != NULL)
            cpu_kick(vm->vcpus[i]->cpu);
}

/* Counts who wants to run; when harts become scarce, all must learn of their slices and of wfi. */
static void recount(void)
{
    unsigned wanting = 0, harts = 0;
    bool was = crowded;

    for (unsigned i = 0; i < vm_count; i++)
        for (unsigned j = 0;
             vms[i] != NULL && vms[i]->state == VM_RUNNING && j < vms[i]->vcpu_count; j++)
            wanting += vms[i]->vcpus[j]->state != VCPU_STOPPED;
    for (unsigned i = 0; i < cpu_count; i++)
        harts += cpus[i].online;
    __atomic_store_n(&crowded, wanting > harts, __ATOMIC_RELAXED);
    for (unsigned i = 0; crowded && !was && i < cpu_count; i++)
        if (cpus[i].current != NULL)
            cpu_kick(&cpus[i]);
}

/* ---- From anywhere ---- */

void sched_wake(struct vcpu *v)
{
    lock_take(&lock);
    if (v->state == VCPU_BLOCKED && vcpu_has_interrupt(v))
        enqueue(v);
    else if (v->cpu != NULL)
        cpu_kick(v->cpu);
    lock_drop(&lock);
}

bool sched_start(struct vcpu *v, void (*prepare)(struct vcpu *v))
{
    bool stopped;

    lock_take(&lock);
    stopped = v->state == VCPU_STOPPED && v->vm->state == VM_RUNNING;
    if (stopped) {
        if (prepare != NULL)
            prepare(v);
        enqueue(v);
        recount();
    }
    lock_drop(&lock);
    return stopped;
}

bool sched_pause(struct vm *vm)
{
    bool good;

    lock_take(&lock);
    good = vm->state == VM_RUNNING;
    if (good) {
        __atomic_store_n(&vm->state, VM_PAUSED, __ATOMIC_RELEASE);
        vm->paused_at = hyp_time();
        runqueue_drop(&ready, vm);
        recount();
        kick_vm(vm);
    }
    lock_drop(&lock);
    return good;
}

/* The guest's clock goes on from where it stood. */
static void continue_time(struct vm *vm)
{
    vm->time_delta -= hyp_time() - vm->paused_at;
    for (unsigned i = 0; i < cpu_count; i++)
        if (cpus[i].loaded != NULL && cpus[i].loaded->vm == vm)
            cpus[i].loaded = NULL;
}

bool sched_resume(struct vm *vm)
{
    bool good;

    lock_take(&lock);
    good = vm->state == VM_PAUSED && vm->on_harts == 0;
    if (good) {
        continue_time(vm);
        __atomic_store_n(&vm->state, VM_RUNNING, __ATOMIC_RELEASE);
        for (unsigned i = 0; i < vm->vcpu_count; i++) {
            /* A blocked one looks for itself whether it has something to wake for. */
            if (vm->vcpus[i]->state == VCPU_READY || vm->vcpus[i]->state == VCPU_BLOCKED)
                enqueue(vm->vcpus[i]);
        }
        recount();
    }
    lock_drop(&lock);
    return good;
}

void sched_stop_vm(struct vm *vm)
{
    bool gone = false;

    lock_take(&lock);
    if (vm->state == VM_RUNNING || vm->state == VM_PAUSED) {
        __atomic_store_n(&vm->state, VM_STOPPING, __ATOMIC_RELEASE);
        runqueue_drop(&ready, vm);
        for (unsigned i = 0; i < vm->vcpu_count; i++)
            if (vm->vcpus[i]->cpu == NULL)
                vm->vcpus[i]->state = VCPU_STOPPED;
        recount();
        kick_vm(vm);
        gone = vm->on_harts == 0;
    }
    lock_drop(&lock);
    if (gone)
        vm_finish(vm);
}

/* ---- On the hart itself ---- */

void sched_block(struct vcpu *v)
{
    intents[v->cpu->index] = BLOCK;
}

void sched_yield(struct vcpu *v)
{
    intents[v->cpu->index] = YIELD;
}

void sched_retire(struct vcpu *v)
{
    intents[v->cpu->index] = RETIRE;
}

static void wake_due(struct cpu *cpu, uint64_t now)
{
    for (unsigned i = 0; i < vm_count; i++) {
        struct vm *vm = vms[i];

        if (vm == NULL || vm->state != VM_RUNNING)
            continue;
        for (unsigned j = 0; j < vm->vcpu_count; j++) {
            struct vcpu *v = vm->vcpus[j];

            if (v->state == VCPU_BLOCKED && v->home == cpu->index && v->wake_at <= now)
                enqueue(v);
        }
    }
}

void sched_timer(void)
{
    struct cpu *cpu = cpu_self();
    uint64_t now = hyp_time();
    bool waiting;

    lock_take(&lock);
    wake_due(cpu, now);
    waiting = ready.head != NULL;
    lock_drop(&lock);
    if (cpu->current != NULL && (cpu->slice_end <= now || cpu->slice_end == ~0ul)) {
        if (waiting)
            sched_yield(cpu->current);
        cpu->slice_end = slice_end();
    }
    arm_timer();
}

void sched_arm(struct vcpu *v)
{
    if (!features.sstc && v->cpu == cpu_self())
        arm_timer();
}

/* A vCPU that was suspended without retention begins anew where its guest said; what had been
 * pending stays so. */
static void wake_from_suspend(struct vcpu *v)
{
    uint64_t inject = v->inject | (v->csr.hvip & HVIP_VSSIP);

    if (v->suspend == SUSPEND_NON_RETENTIVE) {
        vcpu_reset(v, v->resume_pc, v->resume_arg);
        v->inject = inject;
    }
    v->suspend = SUSPEND_NONE;
    v->system_suspend = false;
}

/* The next vCPU for this hart, which sleeps until there is one. */
static struct vcpu *take_next(struct cpu *cpu)
{
    struct vcpu *v;

    for (;;) {
        lock_take(&lock);
        v = runqueue_take(&ready);
        cpu->idle = v == NULL;
        if (v != NULL) {
            v->state = VCPU_RUNNING;
            v->vm->on_harts++;
            __atomic_store_n(&v->cpu, cpu, __ATOMIC_SEQ_CST); /* pairs with sbi/rfence.c */
            cpu->current = v;
            wake_from_suspend(v);
        }
        lock_drop(&lock);
        cpu->slice_end = slice_end();
        arm_timer();
        if (v != NULL)
            return v;
        hyp_wait_for_interrupt();
        trap_host_interrupts();
    }
}

/* Puts the vCPU where its intent says; the lock is held. */
static void settle(struct cpu *cpu, struct vcpu *v, enum intent intent)
{
    if (v->vm->state == VM_STOPPING || intent == RETIRE) {
        v->state = VCPU_STOPPED;
        recount();
    } else if (intent == BLOCK && !vcpu_has_interrupt(v)) {
        v->state = VCPU_BLOCKED;
        v->home = cpu->index;
        v->wake_at = vcpu_timer_due(v);
    } else {
        enqueue(v);
    }
}

static void leave(struct cpu *cpu, struct vcpu *v, enum intent intent)
{
    struct vm *vm = v->vm;
    bool finish;

    lock_take(&lock);
    __atomic_store_n(&v->cpu, NULL, __ATOMIC_SEQ_CST);
    cpu->current = NULL;
    vm->on_harts--;
    settle(cpu, v, intent);
    finish = vm->state == VM_STOPPING && vm->on_harts == 0;
    if (vm->state == VM_PAUSED && vm->on_harts == 0)
        vm->paused_at = hyp_time();
    lock_drop(&lock);
    if (finish)
        vm_finish(vm);
}

void sched_run(void)
{
    struct cpu *cpu = cpu_self();
    enum intent *intent = &intents[cpu->index];

    for (;;) {
        struct vcpu *v = take_next(cpu);

        *intent = KEEP;
        vcpu_load(v, cpu);
        do {
            /* Its guest may just have started a vCPU that must share this hart. */
            if (cpu->slice_end == ~0ul && sched_is_crowded())
                sched_timer();
            vcpu_sync(v);
            vcpu_enter(v);
            trap_handle(v);
        } while (*intent == KEEP && vm_state(v->vm) == VM_RUNNING);
        vcpu_save(v);
        leave(cpu, v, *intent);
    }
}
