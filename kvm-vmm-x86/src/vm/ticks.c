/* Interrupts that are delivered at exits; see ticks.h. How a VMM interrupts a vCPU: KVM's
 * documentation, KVM_INTERRUPT and `request_interrupt_window`. */
#include "vm/ticks.h"

#include "host/kvm/interrupts.h"
#include "vm/deck.h"
#include "vm/vm.h"

#define RFLAGS_IF (UINT64_C(1) << 9)

void ticks_ask(struct vm *vm, enum tick tick)
{
    __atomic_fetch_or(&vm->ticks, (unsigned)tick, __ATOMIC_RELEASE); /* pairs with take_asked */
    vm_wake(vm);
}

void ticks_input(struct vm *vm)
{
    if (vm->own_irqchip) {
        ticks_ask(vm, TICK_INPUT);
        return;
    }
    serial_input_ready(&vm->machine.serial);
    vm_wake(vm);
}

bool ticks_are_asked(const struct vm *vm)
{
    return __atomic_load_n(&vm->ticks, __ATOMIC_RELAXED) & TICK_TIME;
}

uint64_t ticks_due(struct vm *vm)
{
    if (!vm->own_irqchip || ticks_are_asked(vm))
        return PIT_NEVER;
    return pit_due(&vm->machine.pit);
}

/* Runs the devices' part of a tick; their input comes through the deck. */
static void happen(struct vm *vm, uint64_t what)
{
    if (what & TICK_TIME) {
        (void)rtc_tick(&vm->machine.rtc);
        pit_tick(&vm->machine.pit);
    }
    if (what & TICK_INPUT)
        serial_input_ready(&vm->machine.serial);
    if (what & TICK_END)
        serial_look_for_end(&vm->machine.serial);
}

/* While a tape is played, the guest gets the ticks on it; new requests wait. */
static uint64_t take_asked(struct vcpu *vcpu, bool halted)
{
    uint64_t what;

    if (deck_plays_tick(vcpu, halted, &what))
        return what;
    what = __atomic_exchange_n(&vcpu->vm->ticks, 0, __ATOMIC_ACQUIRE);
    if (what != 0)
        deck_note(TAPE_TICK, what | (halted ? TICK_HALTED : 0));
    return what;
}

static void let_all_in(struct vcpu *vcpu, bool halted)
{
    uint64_t what;

    while ((what = take_asked(vcpu, halted)) != 0)
        happen(vcpu->vm, what);
}

/* If the guest does not allow interrupts now, KVM exits when it does (interrupt window). If KVM
 * makes that exit late, at an uncertain instruction, the interrupt waits for the guest's next exit
 * instead. */
static void interrupt(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->cpu.run;
    struct pic *pic = &vcpu->vm->machine.pic;

    if (pic_has_interrupt(pic) && run->ready_for_interrupt_injection && run->if_flag) {
        run->ready_for_interrupt_injection = 0;
        kvm_interrupt(&vcpu->cpu, pic_acknowledge(pic));
    }
    run->request_interrupt_window = vcpu->vm->window && pic_has_interrupt(pic);
}

void ticks_let_in(struct vcpu *vcpu)
{
    if (vcpu->again) /* an instruction is not finished yet */
        return;
    let_all_in(vcpu, false);
    interrupt(vcpu);
}

enum verdict ticks_halt(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    if (!(vcpu->cpu.run->s.regs.regs.rflags & RFLAGS_IF) || !pic_is_open(&vm->machine.pic)) {
        vm_stop(vm, END_HALT, 0, "%s", "");
        return VERDICT_STOP;
    }
    let_all_in(vcpu, true);
    if (pic_has_interrupt(&vm->machine.pic))
        return VERDICT_RESUME;
    return deck_ends(vcpu) ? VERDICT_STOP : VERDICT_AGAIN;
}

void ticks_loaded(struct vcpu *vcpu)
{
    vcpu->cpu.run->request_interrupt_window =
        vcpu->vm->window && pic_has_interrupt(&vcpu->vm->machine.pic);
}
