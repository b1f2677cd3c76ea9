/* One GDT and one TSS for each processor: Intel SDM volume 3, 3.4.5 and 8.7; see gdt.h. */
#include "interrupt/gdt.h"

#include <stddef.h>

#include "common/string.h"
#include "common/x86.h"
#include "cpu.h"
#include "kmalloc.h"
#include "memory/paging.h"

#define CODE64 0x00af9b000000ffff
#define DATA   0x00cf93000000ffff
#define RING_3 (UINT64_C(3) << 45)

enum { SLOTS = 8, STACK_SIZE = 8192, ENTRY_STACK_SIZE = 256 };

/* SDM volume 3, 8.7: the 64-bit task state segment. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "SDM volume 3, figure 8-11");

struct gdt {
    uint64_t slots[SLOTS];
    struct tss tss;
    uint8_t entry_stack[ENTRY_STACK_SIZE] __attribute__((aligned(16))); /* with KPTI=1 */
    uint8_t stacks[CPU_INTERRUPT_STACKS][STACK_SIZE] __attribute__((aligned(16)));
};

static struct gdt of_boot_processor CPU_IN_ALL_TABLES;

void asm_system_call(void);
void asm_load_gdt(const struct x86_table_register *table, uint64_t code, uint64_t data);

bool gdt_prepare(struct cpu *cpu)
{
    if (cpu->tables == NULL)
        cpu->tables = kmalloc(sizeof *cpu->tables);
    return cpu->tables != NULL &&
           paging_show_programs((uintptr_t)cpu->tables, sizeof *cpu->tables) == 0;
}

/* Sets the stacks, and the TSS descriptor, which has two slots: SDM volume 3, 8.2.3. */
static void set_up_tss(struct cpu *cpu, struct gdt *gdt)
{
    cpu->entry_sp = (uintptr_t)gdt->entry_stack + ENTRY_STACK_SIZE;
    gdt->tss = (struct tss){.io_map = sizeof gdt->tss, .rsp = {cpu->entry_sp}};
    for (unsigned i = 0; i < CPU_INTERRUPT_STACKS; i++) {
        uintptr_t low = (uintptr_t)gdt->stacks[i];

        gdt->tss.ist[i] = low + STACK_SIZE;
        cpu->interrupt_stacks[i] = (struct cpu_stack){low, low, low + STACK_SIZE};
    }
    gdt->slots[GDT_SELECTOR_TSS / 8] = x86_task_segment((uintptr_t)&gdt->tss, sizeof gdt->tss - 1);
    gdt->slots[GDT_SELECTOR_TSS / 8 + 1] = (uintptr_t)&gdt->tss >> 32;
}

void gdt_init(void)
{
    struct cpu *cpu = cpu_this();
    struct gdt *gdt = cpu->tables != NULL ? cpu->tables : &of_boot_processor;
    const struct x86_table_register table = {sizeof gdt->slots - 1, (uintptr_t)gdt->slots};

    cpu->tables = gdt;
    memset(gdt->slots, 0, sizeof gdt->slots);
    gdt->slots[GDT_SELECTOR_CODE / 8] = CODE64;
    gdt->slots[GDT_SELECTOR_DATA / 8] = DATA;
    gdt->slots[GDT_SELECTOR_USER_DATA / 8] = DATA | RING_3;
    gdt->slots[GDT_SELECTOR_USER_CODE / 8] = CODE64 | RING_3;
    set_up_tss(cpu, gdt);
    asm_load_gdt(&table, GDT_SELECTOR_CODE, GDT_SELECTOR_DATA);
    x86_ltr(GDT_SELECTOR_TSS);
    /* SDM volume 3, 5.8.8. SYSCALL clears all flags that could disturb the kernel. */
    x86_wrmsr(X86_MSR_STAR,
              (uint64_t)GDT_SELECTOR_USER_BASE << 48 | (uint64_t)GDT_SELECTOR_CODE << 32);
    x86_wrmsr(X86_MSR_LSTAR, (uintptr_t)asm_system_call);
    x86_wrmsr(X86_MSR_SFMASK,
              X86_FLAGS_TF | X86_FLAGS_IF | X86_FLAGS_DF | X86_FLAGS_NT | X86_FLAGS_AC);
    x86_wrmsr(X86_MSR_EFER, x86_rdmsr(X86_MSR_EFER) | X86_EFER_SCE);
}

void gdt_set_kernel_stack(uintptr_t top)
{
    struct cpu *cpu = cpu_this();

    if (!HLEOS_KPTI)
        cpu->tables->tss.rsp[0] = top;
    cpu->kernel_sp = top;
}
