/* Four tries in protected mode without paging; see probe.h. */
#include "watch/gdb/probe.h"

#include <errno.h>
#include <string.h>

#include "cpu/state.h"
#include "host/kvm_debug.h"
#include "host/ram.h"

#define PROBE_RAM (64 * KIB)
enum { ENTRY = 0x1000, AFTER_NOP = ENTRY + 1, DATA = 0x2000, AFTER_STORE = ENTRY + 9 };

static const uint8_t code[] = {
    0x90, 0x90,                                  /* nop; nop */
    0xc6, 0x05, DATA & 0xff, DATA >> 8, 0, 0, 1, /* movb $1, (DATA) */
    0xcc,                                        /* int3, at AFTER_STORE */
    0xf4,                                        /* hlt */
};

/* DR7 for register 0: enabled, and what for (Intel SDM volume 3, 18.2.4). */
enum { DR7_EXECUTE_0 = 0x1, DR7_WRITE_0 = 0x10001 };

static int enter(const struct kvm_cpu *cpu)
{
    int result;

    do
        result = kvm_enter(cpu);
    while (result == -EINTR || result == -EAGAIN);
    return result;
}

/* Whether a vCPU that starts at `entry` is reported to the debugger at `expected`. */
static bool reports(const struct kvm *kvm, int vm, unsigned id, const struct memory *memory,
                    uint32_t control, uint64_t address, uint64_t dr7, gva_t entry, gva_t expected)
{
    struct cpu_start start = {.entry = entry};
    const uint64_t addresses[4] = {address};
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    struct kvm_cpu cpu;
    struct error ignored;
    bool works = false;

    if (kvm_create_vcpu(kvm, vm, id, &cpu, &ignored) < 0)
        return false;
    if (kvm_get_sregs(&cpu, &sregs, &ignored) == 0) {
        cpu_start_protected(memory, &start, &regs, &sregs);
        works = kvm_set_state(&cpu, &regs, &sregs, &ignored) == 0 &&
                kvm_set_guest_debug(&cpu, KVM_GUESTDBG_ENABLE | control, addresses, dr7) == 0 &&
                enter(&cpu) == 0 && cpu.run->exit_reason == KVM_EXIT_DEBUG &&
                cpu.run->debug.arch.pc == expected;
    }
    kvm_destroy_vcpu(&cpu);
    return works;
}

struct gdb_features debug_probe(const struct kvm *kvm)
{
    struct gdb_features found = {0};
    struct error ignored;
    struct memory m;
    int vm = kvm_create_vm(kvm, &ignored);
    uint8_t *ram = vm < 0 ? NULL : ram_allocate(PROBE_RAM, &ignored);

    if (ram != NULL && kvm_add_memory(vm, 0, 0, PROBE_RAM, ram, &ignored) == 0) {
        memory_init(&m, 0, PROBE_RAM, ram);
        memcpy(ram + ENTRY, code, sizeof code);
        found.step = reports(kvm, vm, 0, &m, KVM_GUESTDBG_SINGLESTEP, 0, 0, ENTRY, AFTER_NOP);
        found.breakpoint = reports(kvm, vm, 1, &m, KVM_GUESTDBG_USE_HW_BP, AFTER_NOP, DR7_EXECUTE_0,
                                   ENTRY, AFTER_NOP);
        found.watchpoint =
            reports(kvm, vm, 2, &m, KVM_GUESTDBG_USE_HW_BP, DATA, DR7_WRITE_0, ENTRY, AFTER_STORE);
        found.int3 =
            reports(kvm, vm, 3, &m, KVM_GUESTDBG_USE_SW_BP, 0, 0, AFTER_STORE, AFTER_STORE);
    }
    if (ram != NULL)
        ram_release(ram, PROBE_RAM);
    if (vm >= 0)
        kvm_close_vm(vm);
    return found;
}
