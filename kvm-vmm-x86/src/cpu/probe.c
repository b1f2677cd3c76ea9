/* Guests of a few instructions in protected mode; see probe.h. */
#include "cpu/probe.h"

#include <errno.h>

#include "cpu/state.h"
#include "host/kvm/debug.h"
#include "host/kvm/memory.h"
#include "host/ram.h"

#define PROBE_RAM (64 * KIB)
enum { ENTRY = 0x1000, AFTER_NOP = ENTRY + 1, DATA = 0x2000, AFTER_STORE = ENTRY + 9 };
enum { END = AFTER_STORE + 1, CLOSED = END + 1, OPEN = CLOSED + 3 };

static const uint8_t code[] = {
    0x90, 0x90,                                        /* nop; nop */
    0xc6, 0x05, DATA & 0xff, DATA >> 8, 0,    0,    1, /* movb $1, (DATA) */
    0xcc,                                              /* int3, at AFTER_STORE */
    0xf4,                                              /* hlt, at END */
    0x90, 0xfb, 0x90,        0x90,      0x90, 0xf4, /* at CLOSED: nop; sti; nop; nop, at OPEN; nop;
                                                       hlt */
};

/* DR7 for register 0: enabled, and what for (Intel SDM volume 3, 18.2.4). */
enum { DR7_EXECUTE_0 = 0x1, DR7_WRITE_0 = 0x10001 };

struct machine {
    const struct kvm *kvm;
    int vm;
    unsigned vcpus;
    struct memory memory;
};

static bool make(struct machine *m, const struct kvm *kvm)
{
    struct error ignored;

    *m = (struct machine){.kvm = kvm, .vm = kvm_create_vm(kvm, &ignored)};
    memory_init(&m->memory, 0, PROBE_RAM, NULL);
    return m->vm >= 0 && ram_map(&m->memory, MEMORY_ANONYMOUS, NULL, &ignored) == 0 &&
           kvm_add_memory(m->vm, &m->memory, &ignored) == 0 &&
           memory_write(&m->memory, ENTRY, code, sizeof code);
}

static void release(struct machine *m)
{
    ram_unmap(&m->memory);
    if (m->vm >= 0)
        kvm_close_vm(m->vm);
}

/* How a new vCPU is run. */
struct trial {
    gva_t entry;
    bool paging, window;
    uint32_t control; /* KVM_GUESTDBG_*; 0: no debugger */
    uint64_t address, dr7;
};

/* Whether the vCPU exits with `reason`, and for a debug exit or an open interrupt window at
 * `expected`. Without interrupt controllers in KVM, HLT is an exit. */
static bool comes_back(struct machine *m, const struct trial *trial, uint32_t reason,
                       gva_t expected)
{
    struct cpu_start start = {.entry = trial->entry, .paging = trial->paging};
    const uint64_t addresses[4] = {trial->address};
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    struct kvm_cpu cpu;
    struct error ignored;
    bool works = false;
    int entered = -1;

    if (kvm_create_vcpu(m->kvm, m->vm, m->vcpus++, &cpu, &ignored) < 0)
        return false;
    if (kvm_get_sregs(&cpu, &sregs, &ignored) == 0) {
        cpu_start_protected(&m->memory, &start, &regs, &sregs);
        works =
            kvm_set_state(&cpu, &regs, &sregs, &ignored) == 0 &&
            (trial->control == 0 || kvm_set_guest_debug(&cpu, KVM_GUESTDBG_ENABLE | trial->control,
                                                        addresses, trial->dr7) == 0);
    }
    cpu.run->request_interrupt_window = trial->window;
    while (works && ((entered = kvm_enter(&cpu)) == -EINTR || entered == -EAGAIN))
        ; /* a kick meant for this thread's own vCPU */
    works = entered == 0 && cpu.run->exit_reason == reason &&
            (reason != KVM_EXIT_DEBUG || cpu.run->debug.arch.pc == expected) &&
            (reason != KVM_EXIT_IRQ_WINDOW_OPEN || cpu.run->s.regs.regs.rip == expected);
    kvm_destroy_vcpu(&cpu);
    return works;
}

static bool reports(struct machine *m, gva_t entry, uint32_t control, uint64_t address,
                    uint64_t dr7, gva_t expected)
{
    struct trial trial = {.entry = entry, .control = control, .address = address, .dr7 = dr7};

    return comes_back(m, &trial, KVM_EXIT_DEBUG, expected);
}

struct probe_debug probe_debug(const struct kvm *kvm)
{
    struct probe_debug found = {0};
    struct machine m;

    if (make(&m, kvm)) {
        found.step = reports(&m, ENTRY, KVM_GUESTDBG_SINGLESTEP, 0, 0, AFTER_NOP);
        found.breakpoint =
            reports(&m, ENTRY, KVM_GUESTDBG_USE_HW_BP, AFTER_NOP, DR7_EXECUTE_0, AFTER_NOP);
        found.watchpoint =
            reports(&m, ENTRY, KVM_GUESTDBG_USE_HW_BP, DATA, DR7_WRITE_0, AFTER_STORE);
        found.int3 = reports(&m, AFTER_STORE, KVM_GUESTDBG_USE_SW_BP, 0, 0, AFTER_STORE);
    }
    release(&m);
    return found;
}

/* An emulated processor may lose the interrupt shadow of STI if a host's interrupt comes in it. A
 * trial then exits too early, so one good trial is enough. */
bool probe_window(const struct kvm *kvm)
{
    enum { TRIALS = 3 };
    struct trial trial = {.entry = CLOSED, .window = true};
    struct machine m;
    bool made = make(&m, kvm), works = false;

    for (unsigned i = 0; i < TRIALS && made && !works; i++)
        works = comes_back(&m, &trial, KVM_EXIT_IRQ_WINDOW_OPEN, OPEN);
    release(&m);
    return works;
}

bool probe_paging32(const char *path)
{
    struct trial trial = {.entry = END, .paging = true};
    struct error ignored;
    struct machine m;
    struct kvm kvm;
    bool works;

    if (kvm_open(&kvm, path, &ignored) < 0)
        return false;
    works = make(&m, &kvm) && comes_back(&m, &trial, KVM_EXIT_HLT, 0);
    release(&m);
    kvm_close(&kvm);
    return works;
}
