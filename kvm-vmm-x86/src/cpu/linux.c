/*
 * The state a Linux kernel is entered in: Documentation/arch/x86/boot.rst, "32-bit boot protocol"
 * and "64-bit boot protocol", and x86/pvh for the third. Interrupts are off in all of them.
 */
#include "cpu/linux.h"
#include "cpu/segments.h"
#include "cpu/state.h"

/* boot.rst names them __BOOT_CS and __BOOT_DS; PVH and 64-bit entries take any. */
enum { BOOT_CS = 0x10, BOOT_DS = 0x18, BOOT_GDT_ENTRIES = 4 };

/* Intel SDM volume 3, tables 4-15 to 4-18. */
enum { PTE_PRESENT = 1 << 0, PTE_WRITE = 1 << 1, PDE_2MB = 1 << 7 };
enum { PML4, PDPT, DIRECTORIES, GIGABYTES = 4, TABLES = DIRECTORIES + GIGABYTES, ENTRIES = 512 };

gpa_t cpu_reserved_linux(const struct memory *memory)
{
    return memory_low_end(memory);
}

static void map_first_4g(const struct memory *memory)
{
    uint64_t *tables = memory_at(memory, LINUX_PAGE_TABLES, TABLES * PAGE_SIZE);
    gpa_t directories = LINUX_PAGE_TABLES + DIRECTORIES * PAGE_SIZE;

    if (tables == NULL) /* the smallest RAM of this mode has them */
        return;
    tables[PML4 * ENTRIES] = (LINUX_PAGE_TABLES + PDPT * PAGE_SIZE) | PTE_WRITE | PTE_PRESENT;
    for (uint64_t i = 0; i < GIGABYTES; i++)
        tables[PDPT * ENTRIES + i] = (directories + i * PAGE_SIZE) | PTE_WRITE | PTE_PRESENT;
    for (uint64_t i = 0; i < GIGABYTES * (uint64_t)ENTRIES; i++)
        tables[DIRECTORIES * ENTRIES + i] = i * (2 * MIB) | PDE_2MB | PTE_WRITE | PTE_PRESENT;
}

static void set_segments(const struct memory *memory, bool bits64, struct kvm_sregs *sregs)
{
    struct kvm_segment code = {.limit = UINT32_MAX,
                               .selector = BOOT_CS,
                               .type = SEGMENT_CODE,
                               .present = 1,
                               .db = !bits64,
                               .l = bits64,
                               .s = 1,
                               .g = 1};
    struct kvm_segment data = code;
    uint64_t gdt[BOOT_GDT_ENTRIES];

    data.selector = BOOT_DS;
    data.type = SEGMENT_DATA;
    data.db = 1;
    data.l = 0;
    gdt[0] = gdt[1] = 0;
    gdt[BOOT_CS / 8] = segments_descriptor(&code);
    gdt[BOOT_DS / 8] = segments_descriptor(&data);
    if (!memory_write(memory, LINUX_GDT, gdt, sizeof gdt))
        return; /* the smallest RAM of this mode has that page */
    sregs->cs = code;
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->gdt = (struct kvm_dtable){.base = LINUX_GDT, .limit = sizeof gdt - 1};
    sregs->idt = (struct kvm_dtable){.base = 0, .limit = 0};
}

void cpu_start_linux(const struct memory *memory, const struct cpu_start *start,
                     struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    bool bits64 = start->kernel_entry == KERNEL_ENTRY_64;

    set_segments(memory, bits64, sregs);
    *regs = (struct kvm_regs){.rip = start->entry, .rsp = LINUX_STACK_TOP, .rflags = RFLAGS_FIXED};
    if (start->kernel_entry == KERNEL_ENTRY_PVH)
        regs->rbx = start->boot_info;
    else
        regs->rsi = start->boot_info;
    sregs->cr0 = CR0_PE | CR0_ET | CR0_NE;
    if (!bits64)
        return;
    map_first_4g(memory);
    sregs->cr3 = LINUX_PAGE_TABLES;
    sregs->cr4 |= CR4_PAE;
    sregs->cr0 |= CR0_PG;
    sregs->efer |= EFER_LME | EFER_LMA;
}
