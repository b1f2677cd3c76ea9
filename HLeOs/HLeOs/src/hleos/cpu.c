/* The boot processor's tables and modes; see cpu.h. */
#include "cpu.h"

#include "asm.h"

#define GDT_CODE64 0x00af9b000000ffff
#define GDT_DATA   0x00cf93000000ffff

static struct cpu boot_cpu;
static uint8_t ist_stacks[CPU_ISTS][CPU_IST_STACK_SIZE] __attribute__((aligned(16)));
static uint8_t clean_fpu[512] __attribute__((aligned(16)));

void asm_load_gdt(const struct x86_table_register *table, uint64_t code, uint64_t data);

/* SDM volume 3, 8.2.3: a system descriptor in 64-bit mode takes two slots. */
static void describe_tss(struct cpu *cpu)
{
    uint64_t base = (uintptr_t)&cpu->tss;
    unsigned slot = CPU_SELECTOR_TSS / 8;

    cpu->gdt[slot] = x86_task_segment(base, sizeof cpu->tss - 1);
    cpu->gdt[slot + 1] = base >> 32;
}

static void load_tables(struct cpu *cpu)
{
    struct x86_table_register gdt = {sizeof cpu->gdt - 1, (uintptr_t)cpu->gdt};

    cpu->gdt[CPU_SELECTOR_CODE / 8] = GDT_CODE64;
    cpu->gdt[CPU_SELECTOR_DATA / 8] = GDT_DATA;
    for (unsigned i = 0; i < CPU_ISTS; i++)
        cpu->tss.ist[i] = (uintptr_t)ist_stacks[i] + CPU_IST_STACK_SIZE;
    cpu->tss.io_map = sizeof cpu->tss;
    describe_tss(cpu);
    asm_load_gdt(&gdt, CPU_SELECTOR_CODE, CPU_SELECTOR_DATA);
    x86_ltr(CPU_SELECTOR_TSS);
    cpu->self = cpu;
    x86_wrmsr(X86_MSR_GS_BASE, (uintptr_t)cpu);
}

/* SSE on, and writes to read-only pages refused to the kernel too. NX is there in every 64-bit
 * processor but the first Intel ones; CPUID 0x80000001 EDX bit 20 tells. */
static void set_modes(void)
{
    uint64_t cr0 = x86_read_cr0() & ~(uint64_t)(X86_CR0_EM | X86_CR0_TS);

    x86_write_cr0(cr0 | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP);
    x86_write_cr4(x86_read_cr4() | X86_CR4_PGE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT);
    if (x86_cpuid(1, 0).d >> 7 & 1) /* without it a machine check is a reset, told to nobody */
        x86_write_cr4(x86_read_cr4() | X86_CR4_MCE);
    if (x86_cpuid(0x80000001, 0).d >> 20 & 1)
        x86_wrmsr(X86_MSR_EFER, x86_rdmsr(X86_MSR_EFER) | X86_EFER_NXE);
    asm_fninit();
    asm_fxsave(clean_fpu);
    *(uint32_t *)(clean_fpu + 24) = 0x1f80; /* MXCSR: every exception masked */
    asm_fxrstor(clean_fpu);
}

void cpu_init(void)
{
    load_tables(&boot_cpu);
    set_modes();
}

bool cpu_may_sleep(void)
{
    const struct cpu *cpu = cpu_this();

    return cpu->current != NULL && cpu->current != cpu->idle && cpu->interrupt_depth == 0 &&
           cpu->locks_held == 0;
}

const void *cpu_clean_fpu(void)
{
    return clean_fpu;
}
