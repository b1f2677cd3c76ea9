/* The kernel's page tables: four levels, Intel SDM volume 3, 4.5. No page is writable and
 * executable at once: only the kernel's own text is executable at all. Safe in interrupts. */
#ifndef HLEOS_MEMORY_PAGING_H
#define HLEOS_MEMORY_PAGING_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/boot_info.h"
#include "memory/address.h"

/* Bits of an entry. */
#define PAGING_PRESENT    (UINT64_C(1) << 0)
#define PAGING_WRITE      (UINT64_C(1) << 1)
#define PAGING_USER       (UINT64_C(1) << 2)
#define PAGING_UNCACHED   (UINT64_C(3) << 3) /* PCD and PWT */
#define PAGING_LARGE      (UINT64_C(1) << 7)
#define PAGING_GLOBAL     (UINT64_C(1) << 8)
#define PAGING_COPY       (UINT64_C(1) << 9) /* the processor ignores it: copied when written to */
#define PAGING_NO_EXECUTE (UINT64_C(1) << 63)
#define PAGING_ADDRESS    UINT64_C(0x000ffffffffff000)

/* Builds the kernel's tables and leaves the loader's. The boot stack gets its guard page. */
void paging_init(const struct boot_info *info);

/* Maps one page, data, never executable; 0, or -1 if there is no page for a table. An address that
 * is mapped already is a panic. */
int paging_map(uintptr_t address, phys_t page, uint64_t flags) __attribute__((warn_unused_result));
/* Unmaps pages, which must be mapped, and frees them after all processors have flushed them.
 * Interrupts are served in between. */
void paging_unmap(uintptr_t base, size_t pages);

/* Makes the top-level tables of a range, which are never freed; for use at boot. */
void paging_prepare(uintptr_t base, uint64_t size);
/* Frees the page tables of a range that has nothing mapped any more. Those that reach beyond the
 * range and are in use stay. */
void paging_prune(uintptr_t base, size_t size);

/* Maps `size` bytes of device registers or firmware tables, for good; NULL if there is no memory
 * for it. `flags` are PAGING_WRITE and PAGING_UNCACHED or 0. */
void *paging_map_device(phys_t address, size_t size, uint64_t flags);

/* With KPTI=1: maps these pages of the kernel in the programs' tables too, for good; -1: out of
 * memory. */
int paging_show_programs(uintptr_t address, size_t size) __attribute__((warn_unused_result));

/* The kernel's root table; with KPTI=1 the root of the kernel's part in programs' tables, otherwise
 * 0; and PAGING_NO_EXECUTE if the processor has NX, otherwise 0. */
phys_t paging_root(void);
phys_t paging_program_root(void);
uint64_t paging_no_execute(void);

/* The entry that maps the address, 0 if none does. */
uint64_t paging_entry(uintptr_t address);
bool paging_is_mapped(uintptr_t address);

/* Calls `visit` for every entry that maps something, in order of address. */
void paging_walk(void (*visit)(void *context, uintptr_t address, uint64_t entry, size_t size),
                 void *context);

#endif
