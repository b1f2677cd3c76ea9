/* The processors and their modes; see cpu.h. */
#include "cpu.h"

#include "asm.h"

extern char boot_stack_guard[], boot_stack[], boot_stack_end[];

static struct cpu cpus[CPU_MAX] CPU_IN_ALL_TABLES;
unsigned cpu_online; /* each processor adds itself; they start one by one */
static const struct cpu_signals *signals;
static uint8_t clean_fpu[512] __attribute__((aligned(16)));

/* If the processor has them: SMEP and SMAP stop the kernel from executing and accessing a program's
 * pages, and UMIP hides the addresses of the kernel's tables from programs. */
static void set_protection(void)
{
    struct x86_cpuid features = {0};
    uint64_t cr4 = x86_read_cr4();

    if (x86_cpuid(0, 0).a >= 7)
        features = x86_cpuid(7, 0);
    cr4 |= features.b >> 7 & 1 ? X86_CR4_SMEP : 0;
    cr4 |= features.b >> 20 & 1 ? X86_CR4_SMAP : 0;
    cr4 |= features.c >> 2 & 1 ? X86_CR4_UMIP : 0;
    x86_write_cr4(cr4);
}

/* Enables SSE, write protection for the kernel too, and NX. All 64-bit processors except the first
 * Intel ones have NX: CPUID 0x80000001 EDX bit 20. */
static void set_modes(void)
{
    uint64_t cr0 = x86_read_cr0() & ~(uint64_t)(X86_CR0_EM | X86_CR0_TS);

    x86_write_cr0(cr0 | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP);
    x86_write_cr4(x86_read_cr4() | X86_CR4_PGE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT);
    if (x86_cpuid(1, 0).d >> 7 & 1) /* without MCE a machine check resets without a report */
        x86_write_cr4(x86_read_cr4() | X86_CR4_MCE);
    if (x86_cpuid(0x80000001, 0).d >> 20 & 1)
        x86_wrmsr(X86_MSR_EFER, x86_rdmsr(X86_MSR_EFER) | X86_EFER_NXE);
    set_protection();
    asm_fninit();
}

static void become(struct cpu *cpu)
{
    asm_clear_fs_gs(); /* first: loading a selector changes the base */
    x86_wrmsr(X86_MSR_GS_BASE, (uintptr_t)cpu);
    set_modes();
}

void cpu_init(void)
{
    static struct cpu_stack stack;

    stack = (struct cpu_stack){(uintptr_t)boot_stack_guard, (uintptr_t)boot_stack,
                               (uintptr_t)boot_stack_end};
    cpu_next()->stack = &stack;
    become(cpu_next());
    asm_fxsave(clean_fpu);
    *(uint32_t *)(clean_fpu + 24) = 0x1f80; /* MXCSR: every exception masked */
    asm_fxrstor(clean_fpu);
    cpu_online = 1;
}

void cpu_init_other(struct cpu *cpu)
{
    become(cpu);
    asm_fxrstor(clean_fpu);
}

struct cpu *cpu_next(void)
{
    struct cpu *cpu = cpu_online < CPU_MAX ? &cpus[cpu_online] : NULL;

    if (cpu != NULL) {
        cpu->self = cpu;
        cpu->id = cpu_online;
    }
    return cpu;
}

void cpu_set_online(void)
{
    __atomic_store_n(&cpu_online, cpu_this()->id + 1, __ATOMIC_SEQ_CST);
}

struct cpu *cpu_at(unsigned id)
{
    return &cpus[id];
}

void cpu_attach_signals(const struct cpu_signals *attached)
{
    signals = attached;
}

void cpu_signal_flush(const struct cpu *cpu)
{
    signals->flush(cpu);
}

void cpu_signal_stop(void)
{
    if (signals != NULL && cpu_count() > 1)
        signals->stop();
}

static bool inside(uintptr_t at, size_t size, const struct cpu_stack *stack)
{
    return at >= stack->low && at < stack->high && size <= stack->high - at;
}

bool cpu_owns_stack(uintptr_t at, size_t size)
{
    const struct cpu *cpu = cpu_this();

    for (unsigned i = 0; i < CPU_INTERRUPT_STACKS; i++)
        if (inside(at, size, &cpu->interrupt_stacks[i]))
            return true;
    return inside(at, size, cpu->stack);
}

const void *cpu_clean_fpu(void)
{
    return clean_fpu;
}
