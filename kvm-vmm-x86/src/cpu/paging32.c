/* A guest of one instruction, HLT, in protected mode with paging; see paging32.h. */
#include "cpu/paging32.h"

#include <errno.h>

#include "cpu/state.h"
#include "host/ram.h"
#include "vm/vm.h"

#define PROBE_RAM (64 * KIB)
enum { PROBE_ENTRY = 0x1000, HLT = 0xf4 };

/* A kick meant for this thread's own vCPU may land here. */
static int enter(const struct kvm_cpu *cpu)
{
    int code;

    do
        code = kvm_enter(cpu);
    while (code == -EINTR || code == -EAGAIN);
    return code;
}

/* Without interrupt controllers HLT comes back as an exit. */
static bool halts(const struct kvm *kvm, int vm, const struct memory *memory)
{
    struct cpu_start start = {.entry = PROBE_ENTRY, .paging = true};
    struct kvm_cpu cpu;
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    struct error ignored;
    bool works = false;

    if (kvm_create_vcpu(kvm, vm, 0, &cpu, &ignored) < 0)
        return false;
    if (kvm_get_sregs(&cpu, &sregs, &ignored) == 0) {
        cpu_start_protected(memory, &start, &regs, &sregs);
        works = kvm_set_state(&cpu, &regs, &sregs, &ignored) == 0 && enter(&cpu) == 0 &&
                cpu.run->exit_reason == KVM_EXIT_HLT;
    }
    kvm_destroy_vcpu(&cpu);
    return works;
}

bool paging32_works(const struct vcpu *vcpu)
{
    struct kvm kvm;
    struct error ignored;
    struct memory memory;
    uint8_t *ram;
    bool works = false;
    int vm;

    if (kvm_open(&kvm, vcpu->vm->options->kvm, &ignored) < 0)
        return false;
    vm = kvm_create_vm(&kvm, &ignored);
    ram = ram_allocate(PROBE_RAM, &ignored);
    if (vm >= 0 && ram != NULL && kvm_add_memory(vm, 0, 0, PROBE_RAM, ram, &ignored) == 0) {
        memory_init(&memory, 0, PROBE_RAM, ram);
        ram[PROBE_ENTRY] = HLT;
        works = halts(&kvm, vm, &memory);
    }
    if (ram != NULL)
        ram_release(ram, PROBE_RAM);
    if (vm >= 0)
        kvm_close_vm(vm);
    kvm_close(&kvm);
    return works;
}
