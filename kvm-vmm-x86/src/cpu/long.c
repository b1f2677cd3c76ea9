/*
 * Long mode. At the top of low RAM, in this order: GDT, PML4, PDPT, and one page directory for each
 * GB that is mapped; the stack begins below them.
 */
#include "cpu/segments.h"
#include "cpu/state.h"

enum { GDT, PML4, PDPT, DIRECTORIES };

/* Intel SDM volume 3, tables 4-15 to 4-18. */
enum { PTE_PRESENT = 1 << 0, PTE_WRITE = 1 << 1, PDE_2MB = 1 << 7 };

enum { ENTRIES = 512 };
#define LARGE_PAGE (2 * MIB)

static unsigned directories(const struct memory *memory)
{
    gpa_t end = memory_end(memory);

    return (unsigned)((end > 4 * GIB ? end + GIB - 1 : 4 * GIB) / GIB);
}

gpa_t cpu_reserved_long(const struct memory *memory)
{
    gpa_t end = memory_low_end(memory);
    uint64_t size = (DIRECTORIES + directories(memory)) * (uint64_t)PAGE_SIZE;

    return end > size ? end - size : 0;
}

static void map_identity(const struct memory *memory, gpa_t reserved)
{
    unsigned gigabytes = directories(memory);
    gpa_t first = reserved + DIRECTORIES * PAGE_SIZE;
    uint64_t *pml4 = memory_at(memory, reserved + PML4 * PAGE_SIZE, PAGE_SIZE);
    uint64_t *pdpt = memory_at(memory, reserved + PDPT * PAGE_SIZE, PAGE_SIZE);
    uint64_t *entries = memory_at(memory, first, gigabytes * (uint64_t)PAGE_SIZE);

    if (pml4 == NULL || pdpt == NULL || entries == NULL) /* all RAM: cpu_reserved_long */
        return;
    pml4[0] = (reserved + PDPT * PAGE_SIZE) | PTE_WRITE | PTE_PRESENT;
    for (uint64_t i = 0; i < gigabytes; i++)
        pdpt[i] = (first + i * PAGE_SIZE) | PTE_WRITE | PTE_PRESENT;
    for (uint64_t i = 0; i < gigabytes * (uint64_t)ENTRIES; i++)
        entries[i] = i * LARGE_PAGE | PDE_2MB | PTE_WRITE | PTE_PRESENT;
}

void cpu_start_long(const struct memory *memory, const struct cpu_start *start,
                    struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    gpa_t reserved = cpu_reserved_long(memory);
    struct kvm_segment code = {.limit = UINT32_MAX,
                               .selector = SELECTOR_CODE,
                               .type = SEGMENT_CODE,
                               .present = 1,
                               .l = 1,
                               .s = 1,
                               .g = 1};
    struct kvm_segment data = code;

    data.selector = SELECTOR_DATA;
    data.type = SEGMENT_DATA;
    data.l = 0;
    data.db = 1;
    segments_load_gdt(memory, reserved + GDT * PAGE_SIZE, &code, &data, sregs);
    map_identity(memory, reserved);
    sregs->cr3 = reserved + PML4 * PAGE_SIZE;
    sregs->cr4 |= CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    sregs->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
    sregs->efer |= EFER_LME | EFER_LMA;
    *regs = (struct kvm_regs){
        .rip = start->entry, .rsp = reserved, .rdi = start->boot_info, .rflags = RFLAGS_FIXED};
}
