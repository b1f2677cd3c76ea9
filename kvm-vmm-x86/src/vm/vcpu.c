/* One vCPU's life: enter the guest, look at why it came back, until someone says stop; see vcpu.h.
 */
#include "vm/vcpu.h"

#include <errno.h>
#include <string.h>

#include "console/console.h"
#include "host/clock.h"
#include "host/guard.h"
#include "vm/exits.h"
#include "vm/vm.h"

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned id, const struct kvm *kvm,
                struct error *error)
{
    *vcpu = (struct vcpu){.vm = vm, .id = id, .string_rip = UINT64_MAX};
    vcpu->unfinished.rip = UINT64_MAX;
    if (kvm_create_vcpu(kvm, vm->fd, id, &vcpu->cpu, error) < 0)
        return -1;
    vcpu->for_bus.regs = &vcpu->cpu.run->s.regs.regs;
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

/* The state is only known to this thread, while it is out of the guest. halt.c reads the answer
 * (pairs with its acquire). */
static void examine_halt(struct vcpu *vcpu)
{
    __atomic_store_n(&vcpu->halt_progress, vcpu_progress(vcpu), __ATOMIC_RELAXED);
    __atomic_fetch_add(&vcpu->examined, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&vcpu->halt, kvm_halt_state(&vcpu->cpu), __ATOMIC_RELEASE);
}

/* What others have asked of it since it last looked. */
static enum verdict take_requests(struct vcpu *vcpu)
{
    unsigned requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_ACQUIRE);

    if (requests & VCPU_EXAMINE_HALT)
        examine_halt(vcpu);
    if ((requests & VCPU_PAUSE) && !(requests & VCPU_STOP)) {
        pause_park(vcpu);
        requests = __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE);
    }
    return requests & VCPU_STOP ? VERDICT_STOP : VERDICT_RESUME;
}

static uint64_t gate_count(const struct vm *vm)
{
    return __atomic_load_n(&vm->gate.woken, __ATOMIC_ACQUIRE);
}

/* The guest does not go on before its output is read. The gate's count is read first: room that
 * comes after the look opens it. */
static void wait_for_room(struct vcpu *vcpu)
{
    uint64_t woken = gate_count(vcpu->vm);

    while (console_is_full(vcpu->vm->index) && pause_wait(vcpu, woken) == 0)
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

static void count_exit(struct vcpu *vcpu)
{
    uint32_t reason = vcpu->cpu.run->exit_reason;

    __atomic_store_n(&vcpu->stats.exits, vcpu->stats.exits + 1, __ATOMIC_RELAXED);
    vcpu->stats.by_reason[reason < EXIT_REASONS ? reason : EXIT_REASONS - 1]++;
}

/* What KVM shares of an access has room for 8 bytes at least, whatever its size: 1 to 8. */
static uint64_t value_of(const uint8_t *data, uint32_t size)
{
    uint64_t value;

    memcpy(&value, data, sizeof value);
    return value & UINT64_MAX >> (64 - 8 * size);
}

/* The exit is over, and its answer stands in `run`. Section 5 of Documentation/virt/kvm/api.rst. */
static void record_exit(struct exit_record *record, const struct kvm_run *run)
{
    *record = (struct exit_record){
        .rip = run->s.regs.regs.rip,
        .count = 1,
        .reason = (uint8_t)(run->exit_reason < UINT8_MAX ? run->exit_reason : UINT8_MAX)};
    if (run->exit_reason == KVM_EXIT_IO) {
        record->space = EXIT_PORT;
        record->address = run->io.port;
        record->count = run->io.count;
        record->size = run->io.size;
        record->write = run->io.direction == KVM_EXIT_IO_OUT;
        record->value = value_of((const uint8_t *)run + run->io.data_offset, run->io.size);
    } else if (run->exit_reason == KVM_EXIT_MMIO) {
        record->space = EXIT_MEMORY;
        record->address = run->mmio.phys_addr;
        record->size = (uint8_t)run->mmio.len;
        record->write = run->mmio.is_write;
        record->value = value_of(run->mmio.data, run->mmio.len);
    }
}

static void report_exit(struct vcpu *vcpu, const struct observers *o, bool ended)
{
    struct exit_record *record = &vcpu->last_exits[vcpu->recorded++ % LAST_EXITS];

    record_exit(record, vcpu->cpu.run);
    if (o->timed) {
        record->time = vcpu->left;
        record->cost = clock_cycles() - vcpu->left;
    }
    FOR_SEATS(i, o->after_exit)
    o->seats[i].observer->after_exit(vcpu->watched[i], vcpu, record, ended);
}

static bool was_last(const struct vcpu *vcpu, uint64_t max_exits)
{
    return max_exits != 0 && vcpu->vm->exits_before + vcpu->stats.exits >= max_exits;
}

/*
 * Once into the guest and back, and what it came back for is handled; unless something was asked of
 * the vCPU, its output is not read, or the last exit is to be tried again. Every exit
 * comes by here: what is rare is somewhere else.
 */
static enum verdict run_once(struct vcpu *vcpu, struct vm *vm, const struct observers *o)
{
    enum verdict verdict;
    int code;

    if (__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) != 0)
        return take_requests(vcpu);
    if (console_is_full(vm->index)) {
        wait_for_room(vcpu);
        return VERDICT_RESUME;
    }
    if (vcpu->again) {
        code = pause_wait(vcpu, vcpu->woken);
    } else {
        FOR_SEATS(i, o->before_entry)
        o->seats[i].observer->before_entry(vcpu->watched[i], vcpu);
        code = kvm_enter(&vcpu->cpu);
        if (o->timed)
            vcpu->left = clock_cycles();
    }
    if (code < 0)
        return not_entered(vcpu, code);
    vcpu->again = false;
    if (o->takes_exit != 0 && observers_take_exit(vcpu))
        return VERDICT_RESUME;
    if (!vcpu->counted)
        count_exit(vcpu);
    vcpu->woken = gate_count(vm); /* before the exit is tried: what comes meanwhile opens it */
    verdict = exits_handle(vcpu);
    if (verdict == VERDICT_AGAIN) {
        vcpu->again = vcpu->counted = true;
        return VERDICT_RESUME;
    }
    report_exit(vcpu, o, verdict == VERDICT_STOP);
    if (vcpu->counted)
        pause_next_part(vcpu);
    if (verdict == VERDICT_STOP || !was_last(vcpu, vm->config->max_exits))
        return verdict;
    vm_stop(vm, END_LIMIT, 0, "stopped after %llu exits (--max-exits)",
            (unsigned long long)(vm->exits_before + vcpu->stats.exits));
    return VERDICT_STOP;
}

static void *run(void *argument)
{
    struct vcpu *vcpu = argument;

    thread_name("guest%u/vcpu%u", vcpu->vm->index, vcpu->id);
    thread_kick_flag(&vcpu->cpu.run->immediate_exit);
    while (run_once(vcpu, vcpu->vm, vcpu->vm->observers) != VERDICT_STOP)
        ;
    pause_thread_over(vcpu);
    vm_vcpu_ended(vcpu->vm);
    return NULL;
}

int vcpu_start(struct vcpu *vcpu, struct error *error)
{
    return pause_start_thread(vcpu, run, vcpu, error);
}
