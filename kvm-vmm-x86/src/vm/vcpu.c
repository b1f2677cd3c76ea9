/* The loop of a vCPU: enters the guest and handles exits until it must stop; see vcpu.h. */
#include "vm/vcpu.h"

#include <errno.h>
#include <string.h>

#include "host/clock.h"
#include "host/guard.h"
#include "vm/deck.h"
#include "vm/exits.h"
#include "vm/ticks.h"
#include "vm/vm.h"

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned id, const struct kvm *kvm,
                struct error *error)
{
    *vcpu = (struct vcpu){.vm = vm, .id = id, .string_rip = UINT64_MAX};
    vcpu->unfinished.rip = UINT64_MAX;
    if (kvm_create_vcpu(kvm, vm->fd, id, &vcpu->cpu, error) < 0)
        return -1;
    vcpu->for_bus.regs = &vcpu->cpu.run->s.regs.regs;
    vcpu->keeps_regs = kvm_resets_at_shutdown();
    if (observers_vcpu_made(vcpu, error) == 0)
        return 0;
    vcpu_destroy(vcpu);
    return -1;
}

void vcpu_destroy(struct vcpu *vcpu)
{
    observers_vcpu_gone(vcpu);
    kvm_destroy_vcpu(&vcpu->cpu);
}

uint64_t vcpu_progress(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->stats.exits, __ATOMIC_RELAXED) + kvm_halt_count(&vcpu->cpu);
}

/* Only this thread can read the state, while the guest does not run. halt.c reads the answer (pairs
 * with its acquire). */
static void examine_halt(struct vcpu *vcpu)
{
    __atomic_store_n(&vcpu->halt_progress, vcpu_progress(vcpu), __ATOMIC_RELAXED);
    __atomic_fetch_add(&vcpu->examined, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&vcpu->halt, kvm_halt_state(&vcpu->cpu), __ATOMIC_RELEASE);
}

/* Handles the requests of other threads. */
static enum verdict take_requests(struct vcpu *vcpu)
{
    unsigned requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_ACQUIRE);

    if (requests & VCPU_EXAMINE_HALT)
        examine_halt(vcpu);
    if ((requests & VCPU_PAUSE) && !(requests & VCPU_STOP)) {
        pause_park(vcpu);
        deck_attach(vcpu); /* a debugger may have moved it back in time */
        requests = __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE);
    }
    return requests & VCPU_STOP ? VERDICT_STOP : VERDICT_RESUME;
}

static uint64_t gate_count(const struct vm *vm)
{
    return __atomic_load_n(&vm->gate.woken, __ATOMIC_ACQUIRE);
}

/* The guest waits until its output has room. The gate's count is read first, so that room that
 * comes after the check opens the gate. */
static void wait_for_room(struct vcpu *vcpu)
{
    uint64_t woken = gate_count(vcpu->vm);

    while (vm_is_full(vcpu->vm) && pause_wait(vcpu, woken) == 0)
        woken = gate_count(vcpu->vm);
}

static enum verdict not_entered(struct vcpu *vcpu, int code)
{
    gpa_t at;

    vcpu->cpu.run->immediate_exit = 0;
    if (code == -EINTR || code == -EAGAIN) /* a kick, or a signal: the requests say what for */
        return VERDICT_RESUME;
    if (code == -EFAULT && guard_cut_short(&vcpu->vm->memory, &at))
        vm_stop(vcpu->vm, END_FAILED, 0,
                "its memory from %#llx on is lost: the file behind it was cut short",
                (unsigned long long)at);
    else
        vm_stop(vcpu->vm, END_FAILED, 0, "KVM cannot run it: %s", strerror(-code));
    return VERDICT_STOP;
}

const struct past_exit *vcpu_past_exit(const struct vcpu *vcpu, unsigned back)
{
    if (back >= vcpu->recorded || back >= LAST_EXITS)
        return NULL;
    return &vcpu->last_exits[(vcpu->recorded - 1 - back) % LAST_EXITS];
}

/* Records an exit that is handled; its result is in `run`. */
static void keep_exit(struct vcpu *vcpu, const struct kvm_run *run)
{
    struct past_exit *e = &vcpu->last_exits[vcpu->recorded++ % LAST_EXITS];

    e->rip = run->s.regs.regs.rip;
    e->reason = run->exit_reason;
    e->mmio = run->mmio; /* `io` is in the same place, and shorter */
    if (run->exit_reason == KVM_EXIT_IO)
        memcpy(&e->data, (const uint8_t *)run + run->io.data_offset, sizeof e->data);
}

/* Calls the observers of every exit, if there are any. (Inlined, it would make each exit save
 * registers.) */
static __attribute__((noinline)) void report_exit(struct vcpu *vcpu, const struct observers *o,
                                                  bool ended)
{
    struct exit_record record = exit_record_of(vcpu_past_exit(vcpu, 0));

    if (o->timed) {
        record.time = vcpu->left;
        record.cost = clock_cycles() - vcpu->left;
    }
    FOR_SEATS(i, o->after_exit)
    o->seats[i].observer->after_exit(vcpu->watched[i], vcpu, &record, ended);
}

/* Enters the guest and calls the observers of every entry. */
static __attribute__((noinline)) int enter_watched(struct vcpu *vcpu, const struct observers *o)
{
    int code;

    FOR_SEATS(i, o->before_entry)
    o->seats[i].observer->before_entry(vcpu->watched[i], vcpu);
    code = kvm_enter(&vcpu->cpu);
    vcpu->left = clock_cycles();
    return code;
}

/* Handles requests to the vCPU, or waits for room for its output. */
static enum verdict attend(struct vcpu *vcpu)
{
    if (__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) != 0)
        return take_requests(vcpu);
    wait_for_room(vcpu);
    return VERDICT_RESUME;
}

static inline enum verdict handle(struct vcpu *vcpu, bool own_irqchip)
{
    enum verdict verdict = exits_handle(vcpu);

    return own_irqchip && vcpu->cpu.run->exit_reason == KVM_EXIT_HLT ? ticks_halt(vcpu) : verdict;
}

/*
 * Enters the guest once and handles the exit; or handles a request, waits for room for output, or
 * tries the last exit again. Every exit passes here, so rare cases are in other functions. The
 * compiler makes two copies, so that a guest with KVM's interrupt controllers has no cost for those
 * of the VMM.
 */
static inline __attribute__((always_inline)) enum verdict
run_once(struct vcpu *vcpu, struct vm *vm, const struct observers *o, bool own_irqchip)
{
    enum verdict verdict;
    int code;

    if ((__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) | vm_is_full(vm)) != 0)
        return attend(vcpu);
    if (vcpu->again)
        code = pause_wait(vcpu, vcpu->woken);
    else
        code = o->watches_entry ? enter_watched(vcpu, o) : kvm_enter(&vcpu->cpu);
    if (code < 0)
        return not_entered(vcpu, code);
    vcpu->again = false;
    if (o->takes_exit != 0 && observers_take_exit(vcpu))
        return VERDICT_RESUME;
    vcpu->woken = gate_count(vm); /* before the exit is handled: a later event opens the gate */
    verdict = handle(vcpu, own_irqchip);
    if (verdict == VERDICT_AGAIN) {
        vcpu->again = vcpu->counted = true;
        return VERDICT_RESUME;
    }
    keep_exit(vcpu, vcpu->cpu.run);
    if (verdict == VERDICT_RESUME && vcpu->keeps_regs)
        vcpu->last_regs = vcpu->cpu.run->s.regs.regs;
    if (o->after_exit != 0)
        report_exit(vcpu, o, verdict == VERDICT_STOP);
    if (vcpu->counted)
        pause_next_part(vcpu);
    if (own_irqchip && verdict == VERDICT_RESUME)
        ticks_let_in(vcpu);
    if (verdict == VERDICT_STOP || vcpu->stats.exits < vcpu->exits_max)
        return verdict;
    vm_stop(vm, END_LIMIT, 0, "stopped after %llu exits (--max-exits)",
            (unsigned long long)(vm->exits_before + vcpu->stats.exits));
    return VERDICT_STOP;
}

enum verdict vcpu_handle_exit(struct vcpu *vcpu)
{
    enum verdict verdict = handle(vcpu, vcpu->vm->own_irqchip);

    vcpu->again = vcpu->counted = verdict == VERDICT_AGAIN;
    if (verdict == VERDICT_AGAIN)
        return verdict;
    keep_exit(vcpu, vcpu->cpu.run);
    if (vcpu->part_count > 0)
        pause_next_part(vcpu);
    if (vcpu->vm->own_irqchip && verdict == VERDICT_RESUME)
        ticks_let_in(vcpu);
    return verdict;
}

/* --max-exits counts across restarts. */
static uint64_t exits_left(const struct vm *vm)
{
    uint64_t max = vm->config->max_exits;

    if (max == 0)
        return UINT64_MAX;
    return max > vm->exits_before ? max - vm->exits_before : 0;
}

void vcpu_begin(struct vcpu *vcpu)
{
    thread_kick_flag(&vcpu->cpu.run->immediate_exit);
    vcpu->exits_max = exits_left(vcpu->vm);
}

enum verdict vcpu_run_once(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    return vm->own_irqchip ? run_once(vcpu, vm, vm->observers, true)
                           : run_once(vcpu, vm, vm->observers, false);
}

static void *run(void *argument)
{
    struct vcpu *vcpu = argument;
    struct vm *vm = vcpu->vm;

    thread_name("guest%u/vcpu%u", vm->index, vcpu->id);
    vcpu_begin(vcpu);
    deck_attach(vcpu);
    if (vm->own_irqchip)
        while (run_once(vcpu, vm, vm->observers, true) != VERDICT_STOP)
            ;
    else
        while (run_once(vcpu, vm, vm->observers, false) != VERDICT_STOP)
            ;
    pause_thread_over(vcpu);
    vm_vcpu_ended(vm);
    return NULL;
}

int vcpu_start(struct vcpu *vcpu, struct error *error)
{
    return pause_start_thread(vcpu, run, vcpu, error);
}
