/*
 * Protected mode, 32-bit, with or without paging.
 *
 * At the top of RAM, in this order: boot information, GDT, page directory, one page table. RAM is
 * mapped by 4 MB pages; the table maps the rest if RAM is not a multiple of 4 MB, so that the first
 * byte behind RAM faults.
 */
#include "cpu/segments.h"
#include "cpu/state.h"

enum { BOOT_INFO, GDT, DIRECTORY, TAIL_TABLE, RESERVED_PAGES };

/* Intel SDM volume 3, tables 4-4 to 4-6. */
enum { PTE_PRESENT = 1 << 0, PTE_WRITE = 1 << 1, PDE_4MB = 1 << 7 };

enum { ENTRIES = 1024 };
#define LARGE_PAGE (4 * MIB)

gpa_t cpu_reserved_protected(const struct memory *memory)
{
    gpa_t end = memory_low_end(memory);

    return end > RESERVED_PAGES * PAGE_SIZE ? end - RESERVED_PAGES * PAGE_SIZE : 0;
}

gpa_t cpu_boot_info_address(gpa_t reserved)
{
    return reserved + BOOT_INFO * PAGE_SIZE;
}

/* Maps [0, end) at 0 and again at CPU_HIGH_BASE. */
static void map_ram(const struct memory *memory, gpa_t reserved, gpa_t end)
{
    gpa_t tail_at = reserved + TAIL_TABLE * PAGE_SIZE;
    uint32_t *directory = memory_at(memory, reserved + DIRECTORY * PAGE_SIZE, PAGE_SIZE);
    uint32_t *tail = memory_at(memory, tail_at, PAGE_SIZE);
    uint32_t large = (uint32_t)(end / LARGE_PAGE);
    uint32_t small = (uint32_t)(end % LARGE_PAGE / PAGE_SIZE);
    uint32_t high = (uint32_t)(CPU_HIGH_BASE / LARGE_PAGE);

    if (directory == NULL || tail == NULL) /* the reserved range is RAM: cpu_reserved_protected */
        return;
    for (uint32_t i = 0; i < large; i++)
        directory[i] = directory[high + i] =
            i * (uint32_t)LARGE_PAGE | PDE_4MB | PTE_WRITE | PTE_PRESENT;
    for (uint32_t i = 0; i < small; i++)
        tail[i] = (large * ENTRIES + i) * PAGE_SIZE | PTE_WRITE | PTE_PRESENT;
    if (small > 0)
        directory[large] = directory[high + large] = (uint32_t)tail_at | PTE_WRITE | PTE_PRESENT;
}

void cpu_start_protected(const struct memory *memory, const struct cpu_start *start,
                         struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    gpa_t reserved = cpu_reserved_protected(memory);
    struct kvm_segment code = {.limit = UINT32_MAX,
                               .selector = SELECTOR_CODE,
                               .type = SEGMENT_CODE,
                               .present = 1,
                               .db = 1,
                               .s = 1,
                               .g = 1};
    struct kvm_segment data = code;

    data.selector = SELECTOR_DATA;
    data.type = SEGMENT_DATA;
    segments_load_gdt(memory, reserved + GDT * PAGE_SIZE, &code, &data, sregs);
    sregs->cr0 = CR0_PE | CR0_ET | CR0_NE;
    if (start->paging) {
        map_ram(memory, reserved, memory_low_end(memory));
        sregs->cr0 |= CR0_PG | CR0_WP;
        sregs->cr3 = reserved + DIRECTORY * PAGE_SIZE;
        sregs->cr4 |= CR4_PSE;
    }
    *regs = (struct kvm_regs){.rip = start->entry, .rsp = reserved, .rflags = RFLAGS_FIXED};
    regs->rax = start->boot_magic;
    regs->rbx = start->boot_info;
}
