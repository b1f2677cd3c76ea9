/* GDT and TSS of the boot processor: Intel SDM volume 3, 3.4.5 and 8.7; see gdt.h. */
#include "interrupt/gdt.h"

#include "common/x86.h"
#include "cpu.h"

#define CODE64 0x00af9b000000ffff
#define DATA   0x00cf93000000ffff
#define RING_3 (UINT64_C(3) << 45)

enum { SLOTS = 8, STACK_SIZE = 8192 };

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

static uint64_t gdt[SLOTS] = {[GDT_SELECTOR_CODE / 8] = CODE64,
                              [GDT_SELECTOR_DATA / 8] = DATA,
                              [GDT_SELECTOR_USER_DATA / 8] = DATA | RING_3,
                              [GDT_SELECTOR_USER_CODE / 8] = CODE64 | RING_3};
static struct tss tss = {.io_map = sizeof tss};
static uint8_t stacks[CPU_INTERRUPT_STACKS][STACK_SIZE] __attribute__((aligned(16)));

void asm_system_call(void);
void asm_load_gdt(const struct x86_table_register *table, uint64_t code, uint64_t data);

void gdt_init(void)
{
    const struct x86_table_register table = {sizeof gdt - 1, (uintptr_t)gdt};
    const unsigned slot = GDT_SELECTOR_TSS / 8;

    for (unsigned i = 0; i < CPU_INTERRUPT_STACKS; i++) {
        uintptr_t low = (uintptr_t)stacks[i];

        tss.ist[i] = low + STACK_SIZE;
        cpu_this()->interrupt_stacks[i] = (struct cpu_stack){low, low, low + STACK_SIZE};
    }
    /* SDM volume 3, 8.2.3: a system descriptor in 64-bit mode takes two slots. */
    gdt[slot] = x86_task_segment((uintptr_t)&tss, sizeof tss - 1);
    gdt[slot + 1] = (uintptr_t)&tss >> 32;
    asm_load_gdt(&table, GDT_SELECTOR_CODE, GDT_SELECTOR_DATA);
    x86_ltr(GDT_SELECTOR_TSS);
    /* SDM volume 3, 5.8.8. All flags that a program could trip the kernel with are cleared. */
    x86_wrmsr(X86_MSR_STAR,
              (uint64_t)GDT_SELECTOR_USER_BASE << 48 | (uint64_t)GDT_SELECTOR_CODE << 32);
    x86_wrmsr(X86_MSR_LSTAR, (uintptr_t)asm_system_call);
    x86_wrmsr(X86_MSR_SFMASK,
              X86_FLAGS_TF | X86_FLAGS_IF | X86_FLAGS_DF | X86_FLAGS_NT | X86_FLAGS_AC);
    x86_wrmsr(X86_MSR_EFER, x86_rdmsr(X86_MSR_EFER) | X86_EFER_SCE);
}

void gdt_set_kernel_stack(uintptr_t top)
{
    tss.rsp[0] = top;
    cpu_this()->kernel_sp = top;
}
