/* S3; see sleep.h. */
#include "vm/sleep.h"

#include <stdio.h>

#include "acpi/acpi.h"
#include "cpu/reset.h"
#include "host/kvm/reset.h"
#include "vm/vm.h"

/* Limits the messages, since a guest may sleep often. */
enum { TOLD_MAX = 3 };

/* ACPI 6.3, table 5-36: offset of the waking vector in the FACS. */
enum { FACS_WAKING_VECTOR = 12 };

/* The first vCPU starts at the reset vector or at the FACS's waking vector; the others wait to be
 * started. */
static int reset_vcpu(struct vcpu *vcpu, uint32_t vector, struct error *error)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (kvm_get_sregs(&vcpu->cpu, &sregs, error) < 0)
        return -1;
    if (vector == 0)
        cpu_reset(&regs, &sregs);
    else
        cpu_wake(vector, &regs, &sregs);
    vm_drop_exit(vcpu);
    return kvm_reset_vcpu(&vcpu->cpu, &regs, &sregs, vcpu->id == 0, error);
}

static int wake_up(struct vm *vm, struct error *error)
{
    bool firmware = vm->mode == MODE_FIRMWARE;
    uint32_t vector = 0;

    if (firmware ||
        !memory_read(&vm->memory, ACPI_FACS + FACS_WAKING_VECTOR, &vector, sizeof vector))
        vector = 0;
    if (!firmware && (vector == 0 || vector >= MIB))
        return error_set(error,
                         "woken from S3, but the waking vector in its FACS is %#x: no "
                         "address below 1M",
                         vector);
    machine_reset(&vm->machine);
    acpi_pm_woken(&vm->machine.acpi_pm, vm->sleep.cause);
    if (firmware)
        rtc_note_wake(&vm->machine.rtc); /* tells the firmware to use the waking vector */
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        if (reset_vcpu(&vm->vcpus[i], vector, error) < 0)
            return -1;
    return 0;
}

/* Resumes the guest. The VM is quiet, and only this caller resumes it. */
static void go_on(struct vm *vm)
{
    struct error error;

    if (wake_up(vm, &error) < 0)
        vm_stop(vm, END_CRASH, 0, "%s", error.text);
    lock_take(&vm->sleep.lock);
    vm->sleep.asleep = false;
    lock_release(&vm->sleep.lock);
    vm_resume(vm, &vm->sleep.holder);
}

static void on_quiet(void *context)
{
    struct vm *vm = context;
    bool due;

    lock_take(&vm->sleep.lock);
    vm->sleep.quiet = true;
    due = vm->sleep.due;
    lock_release(&vm->sleep.lock);
    if (due)
        go_on(vm);
}

void vm_sleep_init(struct vm *vm)
{
    lock_init(&vm->sleep.lock);
    vm->sleep.holder = (struct pause_holder){.quiet = on_quiet, .context = vm};
}

void vm_fall_asleep(struct vm *vm)
{
    struct vm_sleep *s = &vm->sleep;
    char text[320];
    bool first;

    lock_take(&s->lock);
    first = !s->asleep;
    if (first) {
        s->asleep = true;
        s->quiet = s->due = false;
    }
    lock_release(&s->lock);
    if (!first)
        return;
    if (s->told++ < TOLD_MAX) {
        snprintf(text, sizeof text,
                 "guest %u (%.200s) sleeps (S3); its clock's alarm or the power button "
                 "(Ctrl-A p, SIGPWR) wakes it",
                 vm->index, vm->name);
        vm->backend.say(vm, text);
    }
    (void)vm_pause(vm, &s->holder); /* not quiet yet: the caller is a vCPU that runs */
}

void vm_awaken(struct vm *vm, enum acpi_pm_event cause)
{
    struct vm_sleep *s = &vm->sleep;
    bool goes;

    lock_take(&s->lock);
    goes = s->asleep && !s->due;
    if (goes) {
        s->due = true;
        s->cause = cause;
        goes = s->quiet;
    }
    lock_release(&s->lock);
    if (goes)
        go_on(vm);
}

bool vm_is_asleep(struct vm *vm)
{
    bool asleep;

    lock_take(&vm->sleep.lock);
    asleep = vm->sleep.asleep;
    lock_release(&vm->sleep.lock);
    return asleep;
}
