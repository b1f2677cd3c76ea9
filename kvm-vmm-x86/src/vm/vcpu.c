/* One vCPU's life: enter the guest, look at why it came back, until someone says stop; see vcpu.h.
 */
#include "vm/vcpu.h"

#include <errno.h>
#include <string.h>

#include "host/clock.h"
#include "host/guard.h"
#include "vm/backend.h"
#include "vm/exits.h"
#include "vm/vm.h"

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned id, const struct kvm *kvm,
                struct error *error)
{
    *vcpu = (struct vcpu){.vm = vm, .id = id, .string_rip = UINT64_MAX};
    vcpu->unfinished.rip = UINT64_MAX;
    if (kvm_create_vcpu(kvm, vm->fd, id, &vcpu->cpu, error) < 0)
        return -1;
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

static enum verdict take_requests(struct vcpu *vcpu)
{
    unsigned requests;

    if (__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED) == 0)
        return VERDICT_RESUME; /* nearly always: spare the bus lock of an exchange */
    requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_ACQUIRE);
    if (requests & VCPU_EXAMINE_HALT)
        examine_halt(vcpu);
    if ((requests & VCPU_PAUSE) && !(requests & VCPU_STOP)) {
        pause_park(vcpu);
        requests = __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE);
    }
    return requests & VCPU_STOP ? VERDICT_STOP : VERDICT_RESUME;
}

static void count_exit(struct vcpu *vcpu)
{
    uint32_t reason = vcpu->cpu.run->exit_reason;

    __atomic_store_n(&vcpu->stats.exits, vcpu->stats.exits + 1, __ATOMIC_RELAXED);
    vcpu->stats.by_reason[reason < EXIT_REASONS ? reason : EXIT_REASONS - 1]++;
}

static void report_exit(struct vcpu *vcpu, bool ended)
{
    struct exit_record record;

    exit_record_take(&record, vcpu->cpu.run);
    if (vcpu->vm->observers->timed) {
        record.time = vcpu->left;
        record.cost = clock_cycles() - vcpu->left;
    }
    observers_after_exit(vcpu, &record, ended);
}

/* Handles the exit that the vCPU is at, and looks whether it was one too many. */
static enum verdict handle_exit(struct vcpu *vcpu)
{
    uint64_t max_exits = vcpu->vm->config->max_exits;
    enum verdict verdict;

    vcpu->again = false;
    if (vcpu->vm->observers->takes_exit != 0 && observers_take_exit(vcpu))
        return VERDICT_RESUME;
    if (!vcpu->counted)
        count_exit(vcpu);
    /* Before the exit is tried: what comes meanwhile opens the gate. Pairs with vm_wake. */
    vcpu->woken = __atomic_load_n(&vcpu->vm->gate.woken, __ATOMIC_ACQUIRE);
    verdict = exits_handle(vcpu);
    vcpu->again = vcpu->counted = verdict == VERDICT_AGAIN;
    if (vcpu->again)
        return verdict;
    if (vcpu->vm->observers->after_exit != 0)
        report_exit(vcpu, verdict == VERDICT_STOP);
    if (verdict == VERDICT_STOP || max_exits == 0 ||
        vcpu->vm->exits_before + vcpu->stats.exits < max_exits)
        return verdict;
    vm_stop(vcpu->vm, END_LIMIT, 0, "stopped after %llu exits (--max-exits)",
            (unsigned long long)(vcpu->vm->exits_before + vcpu->stats.exits));
    return VERDICT_STOP;
}

/* While the guest's output is not read, the guest does not go on. The gate's count is read first:
 * room that comes after the look opens it. */
static int wait_for_room(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    while (vm_output_is_full(vm)) {
        uint64_t woken = __atomic_load_n(&vm->gate.woken, __ATOMIC_ACQUIRE);

        if (vm_output_is_full(vm) && pause_wait(vcpu, woken) < 0)
            return -EINTR;
    }
    return 0;
}

/* Into the guest and back, unless the last exit is still to be dealt with. */
static int enter(struct vcpu *vcpu)
{
    if (wait_for_room(vcpu) < 0)
        return -EINTR;
    if (vcpu->again)
        return pause_wait(vcpu, vcpu->woken);
    if (vcpu->vm->observers->before_entry != 0)
        observers_before_entry(vcpu);
    return kvm_enter(&vcpu->cpu);
}

static void fail_entry(struct vcpu *vcpu, int code)
{
    gpa_t at;

    if (code == -EFAULT && guard_cut_short(&vcpu->vm->memory, &at))
        vm_stop(vcpu->vm, END_FAILED, 0,
                "its memory from %#llx on is lost: the file behind it was cut short",
                (unsigned long long)at);
    else
        vm_stop(vcpu->vm, END_FAILED, 0, "KVM cannot run it: %s", strerror(-code));
}

/* Into the guest and back. Reads no clock unless somebody wants to know where time goes. */
static enum verdict run_once(struct vcpu *vcpu)
{
    bool retry = vcpu->again;
    int code = enter(vcpu);

    if (vcpu->vm->observers->timed && !retry)
        vcpu->left = clock_cycles();
    if (code == -EINTR || code == -EAGAIN) { /* a kick, or a signal: the requests say what for */
        vcpu->cpu.run->immediate_exit = 0;
        return VERDICT_RESUME;
    }
    if (code < 0) {
        fail_entry(vcpu, code);
        return VERDICT_STOP;
    }
    return handle_exit(vcpu);
}

static void *run(void *argument)
{
    struct vcpu *vcpu = argument;

    thread_name("guest%u/vcpu%u", vcpu->vm->index, vcpu->id);
    thread_kick_flag(&vcpu->cpu.run->immediate_exit);
    while (take_requests(vcpu) == VERDICT_RESUME && run_once(vcpu) != VERDICT_STOP)
        ;
    pause_thread_over(vcpu);
    vm_vcpu_ended(vcpu->vm);
    return NULL;
}

int vcpu_start(struct vcpu *vcpu, struct error *error)
{
    return pause_start_thread(vcpu, run, vcpu, error);
}
