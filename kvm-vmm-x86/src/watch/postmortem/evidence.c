/* Collects the evidence for a report; see evidence.h. */
#include "watch/postmortem/evidence.h"

#include <stdio.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "host/kvm/interrupts.h"
#include "vm/create.h"
#include "watch/explain/guest_image.h"
#include "watch/travel/recorder.h"

enum { LAPIC_ISR = 0x100, LAPIC_IRR = 0x200, RESET_RIP = 0xfff0 };
#define RESET_CS_BASE UINT64_C(0xffff0000)

static bool is_crash(uint32_t reason)
{
    return reason == KVM_EXIT_SHUTDOWN || reason == KVM_EXIT_INTERNAL_ERROR ||
           reason == KVM_EXIT_FAIL_ENTRY;
}

/* The vCPU that crashed, or the first one. */
static struct vcpu *find_vcpu(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpus_made; i++)
        if (is_crash(vm->vcpus[i].cpu.run->exit_reason))
            return &vm->vcpus[i];
    return &vm->vcpus[0];
}

static void read_interrupts(struct evidence *e, const struct vm *vm, const struct vcpu *vcpu)
{
    struct interrupts *i = &e->interrupts;

    i->known = vm->irqchip && kvm_read_pic(vm->fd, 0, &i->pic[0]) &&
               kvm_read_pic(vm->fd, 1, &i->pic[1]) &&
               kvm_read_lapic_bits(&vcpu->cpu, LAPIC_ISR, i->in_service) &&
               kvm_read_lapic_bits(&vcpu->cpu, LAPIC_IRR, i->requested);
}

/* Whether the registers are those after INIT (Intel SDM volume 3, table 9-1): the guest's are lost.
 */
static bool is_reset(const struct snapshot *s)
{
    return s->regs.rip == RESET_RIP && s->sregs.cs.base == RESET_CS_BASE &&
           !(s->sregs.cr0 & CR0_PE);
}

/* Why the run cannot be repeated; NULL if it can. */
static const char *why_no_replay(const struct vm *vm)
{
    const char *why = recorder_refuses(vm);

    if (why == NULL && (vm->vcpus[0].deck == NULL || vm->vcpus[0].deck->tape.full))
        why = "not all of its input was recorded";
    return why;
}

/* Uses the state where the second run was stopped, if it made steps; otherwise the registers of the
 * last exit. */
static void make_do(struct evidence *e, const char *why)
{
    const char *left = "this is where the second run was stopped";

    if (e->replay.result == REPLAY_TOO_LONG && e->replay.steps > 0) {
        e->snapshot = e->replay.snapshot;
    } else {
        e->general_only = true;
        e->snapshot.regs = e->vcpu->last_regs;
        left = e->vcpu->stats.exits <= 1 ? "nothing else is known, as it had made no exit before"
               : e->vcpu->keeps_regs     ? "only its general registers at its last exit are known"
                                         : "nothing else is known";
    }
    snprintf(e->how, sizeof e->how, "KVM reset the vCPU when it shut down (AMD), and %s: %s", why,
             left);
}

static void use_replay(struct evidence *e)
{
    e->at_fault = true;
    e->snapshot = e->replay.snapshot;
    read_interrupts(e, &e->double_vm, &e->double_vm.vcpus[0]);
    snprintf(e->how, sizeof e->how,
             "KVM reset the vCPU when it shut down (AMD): found by a second run, %lu exits and "
             "%lu single steps",
             e->replay.exits, e->replay.steps);
}

/* Makes a second VM from the same image, which gets the recorded input of the first. */
static int make_double(struct evidence *e, const struct vm *vm, struct error *error)
{
    static const struct observers no_observers;
    struct guest_config config = *vm->config;
    struct file image;

    if (guest_image_load_again(vm, &image, error) < 0)
        return -1;
    config.image_bytes = image.bytes;
    config.image_size = image.size;
    e->has_double =
        vm_create(&e->double_vm, vm->index, &config, vm->program, &no_observers, error) == 0;
    e->double_vm.config = vm->config;
    file_release(&image);
    if (!e->has_double)
        return -1;
    e->deck = *vm->vcpus[0].deck; /* it shares the bytes of the first */
    e->deck.place = (struct tape_place){0};
    e->deck.mode = DECK_REPLAY;
    e->deck.silent = e->deck.led = true;
    e->double_vm.vcpus[0].deck = &e->deck;
    return 0;
}

static void run_again(struct evidence *e, struct worker *worker, struct vm *vm)
{
    const char *why = why_no_replay(vm);
    struct error error;

    e->replay.result = REPLAY_IMPOSSIBLE;
    if (why == NULL && make_double(e, vm, &error) < 0)
        why = error.text;
    if (why != NULL) {
        make_do(e, why);
        return;
    }
    replay_run(worker, vm, &e->double_vm, &e->replay);
    if (e->replay.result == REPLAY_FOUND)
        use_replay(e);
    else
        make_do(e, e->replay.result == REPLAY_DIVERGED ? "a second run differed"
                   : worker_must_stop(worker)          ? "a second run was stopped"
                                                       : "a second run took too long");
}

/* Limits for stepping a guest that a limit has stopped, to find its loop. */
enum { SAMPLES = 3000, LIMIT_MS = 1000 };

/* The last value that the guest read at `address`, or all ones. */
static uint64_t last_value(const struct vcpu *vcpu, uint64_t address)
{
    const struct past_exit *exit;

    for (unsigned back = 0; (exit = vcpu_past_exit(vcpu, back)) != NULL; back++) {
        struct exit_record e = exit_record_of(exit);

        if (exit_record_asks(&e) && e.address == address)
            return e.value;
    }
    return UINT64_MAX;
}

/* Answers an exit; true if the guest can go on. */
static bool answer(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->cpu.run;
    uint64_t value;

    switch (run->exit_reason) {
    case KVM_EXIT_DEBUG:
        return true;
    case KVM_EXIT_IO:
        value = last_value(vcpu, run->io.port);
        for (uint32_t i = 0; run->io.direction == KVM_EXIT_IO_IN && i < run->io.count; i++)
            memcpy((uint8_t *)run + run->io.data_offset + i * run->io.size, &value, run->io.size);
        return true;
    case KVM_EXIT_MMIO:
        value = last_value(vcpu, run->mmio.phys_addr);
        if (!run->mmio.is_write)
            memcpy(run->mmio.data, &value, sizeof run->mmio.data);
        return true;
    default:
        return false;
    }
}

/* Executes some thousand instructions. Writes to devices are ignored, and reads give the last value
 * read. Afterwards the guest can no longer run. */
static struct loop sample_loop(struct worker *worker, struct vcpu *vcpu)
{
    static const uint64_t no_addresses[4];
    static gva_t addresses[SAMPLES];
    struct kvm_run *run = vcpu->cpu.run;
    struct snapshot s = {0};
    size_t count = 0;

    worker_limit(worker, LIMIT_MS);
    run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    if (kvm_finish_exit(&vcpu->cpu) == 0 ||
        kvm_read_registers(&vcpu->cpu, &run->s.regs.regs, &run->s.regs.sregs, NULL) < 0)
        return (struct loop){0};
    while (count < SAMPLES) {
        s.regs = run->s.regs.regs;
        s.sregs = run->s.regs.sregs;
        if (run->exit_reason == KVM_EXIT_DEBUG || count == 0)
            addresses[count++] = snapshot_linear_rip(&s);
        if (kvm_set_guest_debug(&vcpu->cpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
                                no_addresses, 0) < 0 ||
            !worker_enter(worker, vcpu) || !answer(vcpu))
            break;
    }
    return loop_find(addresses, count);
}

void evidence_take(struct evidence *e, struct worker *worker, struct vm *vm,
                   const struct vm_end *end)
{
    uint32_t reason;

    *e = (struct evidence){.vcpu = find_vcpu(vm), .snapshot.memory = &vm->memory};
    e->replay.handling = -1;
    e->snapshot.address_bits = vm->address_bits;
    reason = e->vcpu->cpu.run->exit_reason;
    e->crashed =
        is_crash(reason) && /* a shutdown through a failure of KVM is not a crash */
        (end->kind == END_CRASH || (end->kind == END_FAILED && reason != KVM_EXIT_SHUTDOWN));
    e->shutdown = e->crashed && reason == KVM_EXIT_SHUTDOWN;
    if (kvm_read_registers(&e->vcpu->cpu, &e->snapshot.regs, &e->snapshot.sregs, NULL) < 0)
        snprintf(e->how, sizeof e->how, "its registers cannot be read from KVM");
    read_interrupts(e, vm, e->vcpu);
    e->halted = kvm_halt_state(&e->vcpu->cpu) == KVM_HALT_ASLEEP;
    e->at_fault = e->crashed;
    if (e->shutdown && is_reset(&e->snapshot)) {
        e->at_fault = false;
        e->reset = true;
        run_again(e, worker, vm);
    }
    if (end->kind == END_LIMIT && !e->halted && vm->vcpu_count == 1 && vm->mode < MODE_LINUX)
        e->loop = sample_loop(worker, &vm->vcpus[0]);
}

void evidence_release(struct evidence *e)
{
    if (e->has_double)
        vm_destroy(&e->double_vm);
    e->has_double = false;
}
