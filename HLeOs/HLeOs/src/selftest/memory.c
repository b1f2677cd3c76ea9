/* Tests of page allocator and page tables. */
#include <stddef.h>
#include <stdint.h>

#include "HLeOs/HLeOs/src/hleos/boot.h"
#include "HLeOs/HLeOs/src/hleos/memory/page.h"
#include "HLeOs/HLeOs/src/hleos/memory/paging.h"
#include "HLeOs/HLeOs/src/selftest/selftest.h"

enum { SOME = 64 };

extern char kernel_start[], text_end[], rodata_start[], boot_stack_guard[];

static bool usable(uint64_t at)
{
    uint64_t base, end;

    for (unsigned i = 0; page_range(boot_information(), i, &base, &end); i++)
        if (at >= base && at + PAGE_SIZE <= end)
            return true;
    return false;
}

static void pages_are_distinct(void)
{
    size_t before = page_stats().free;
    phys_t pages[SOME];

    for (size_t i = 0; i < SOME; i++) {
        pages[i] = page_allocate();
        expect(pages[i].at != 0 && usable(pages[i].at));
        for (size_t j = 0; j < i; j++)
            expect(pages[i].at != pages[j].at);
        *(uint64_t *)page_virtual(pages[i]) = pages[i].at;
    }
    expect_equal(page_stats().free, before - SOME);
    for (size_t i = 0; i < SOME; i++) {
        expect(*(uint64_t *)page_virtual(pages[i]) == pages[i].at);
        page_free(pages[i]);
    }
    expect_equal(page_stats().free, before);
}

/* All there is, chained through the pages themselves; then back. */
static void memory_runs_out_and_comes_back(void)
{
    size_t before = page_stats().free, count = 0;
    phys_t page, chain = PHYS(0);
    uint64_t top = 0;

    while ((page = page_allocate()).at != 0) {
        *(phys_t *)page_virtual(page) = chain;
        chain = page;
        top = page.at > top ? page.at : top;
        count++;
    }
    expect_equal(count, before);
    expect_equal(page_stats().free, 0);
    expect(top + PAGE_SIZE == page_stats().top);
    while (chain.at != 0) {
        page = chain;
        chain = *(phys_t *)page_virtual(page);
        page_free(page);
    }
    expect_equal(page_stats().free, before);
}

struct census {
    unsigned both, executable_outside, mapped;
};

static void count_entry(void *context, uintptr_t address, uint64_t entry, size_t size)
{
    struct census *census = context;
    bool executable = !(entry & PAGING_NO_EXECUTE);

    census->mapped++;
    census->both += executable && (entry & PAGING_WRITE);
    census->executable_outside += executable && (address < (uintptr_t)kernel_start ||
                                                 address + size > (uintptr_t)rodata_start);
}

static void nothing_is_writable_and_executable(void)
{
    struct census census = {0};

    paging_walk(count_entry, &census);
    expect(census.mapped > 100);
    expect_equal(census.both, 0);
    expect_equal(census.executable_outside, 0);
    expect(!(paging_entry((uintptr_t)rodata_start) & PAGING_WRITE));
    expect(!(paging_entry((uintptr_t)kernel_start) & PAGING_WRITE));
}

static void lower_half_is_empty(void)
{
    expect(!paging_is_mapped(0));
    expect(!paging_is_mapped(0x7c00));
    expect(!paging_is_mapped((uintptr_t)boot_stack_guard));
    expect(!paging_is_mapped(DIRECT_MAP_BASE + boot_information()->kernel_base));
}

const struct selftest selftest_memory[] = {
    {"pages_are_distinct", pages_are_distinct},
    {"memory_runs_out_and_comes_back", memory_runs_out_and_comes_back},
    {"nothing_is_writable_and_executable", nothing_is_writable_and_executable},
    {"lower_half_is_empty", lower_half_is_empty},
    {0},
};
