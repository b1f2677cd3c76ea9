/* Tests of page allocator and page tables. */
#include <stddef.h>
#include <stdint.h>

#include "common/x86.h"
#include "cpu/boot.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "selftest/selftest.h"

enum { SOME = 64, RUNS = 256 };

extern char kernel_start[], text_end[], rodata_start[], boot_stack_guard[];

static bool usable(uint64_t at)
{
    uint64_t base, end;

    for (unsigned i = 0; page_range(boot_information(), i, &base, &end); i++)
        if (at >= base && at + PAGE_SIZE <= end)
            return true;
    return false;
}

static void only_allocated_pages_are_freed(void)
{
    phys_t page = page_allocate();

    expect(page_is_allocated(page));
    expect(!page_is_allocated(PHYS(page.at + 1)));
    expect(!page_is_allocated(PHYS(boot_information()->kernel_base)));
    expect(!page_is_allocated(PHYS(0)));
    expect(!page_is_allocated(PHYS(page_stats().top)));
    page_free(page);
    expect(!page_is_allocated(page));
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

/* Contiguous pages. Taken pages are recorded as runs and not in the pages themselves, so that a
 * machine with more memory than its host does not touch it all. */
struct run {
    uint64_t base, end;
};

static struct run runs[RUNS];

/* Allocates all pages. Returns the number of runs. */
static size_t take_all(void)
{
    size_t count = 0;
    phys_t page;

    while ((page = page_allocate()).at != 0) {
        if (count == 0 || runs[count - 1].end != page.at) {
            expect(count < RUNS);
            runs[count++ % RUNS] = (struct run){page.at, page.at};
        }
        runs[(count - 1) % RUNS].end += PAGE_SIZE;
    }
    return count;
}

/* Checks that both ends of a run are memory, at different places. */
static void touch_ends(const struct run *run)
{
    volatile uint64_t *first = page_virtual(PHYS(run->base));
    volatile uint64_t *last = page_virtual(PHYS(run->end - sizeof *last));

    *first = run->base;
    *last = run->end;
    expect_equal(*first, run->base);
    expect_equal(*last, run->end);
}

static void memory_runs_out_and_comes_back(void)
{
    size_t before = page_stats().free, pages = 0, count = take_all();
    uint64_t top = 0;

    expect_equal(page_stats().free, 0);
    for (size_t i = 0; i < count; i++) {
        touch_ends(&runs[i]);
        expect(usable(runs[i].base) && usable(runs[i].end - PAGE_SIZE));
        pages += (runs[i].end - runs[i].base) / PAGE_SIZE;
        top = runs[i].end > top ? runs[i].end : top;
    }
    expect_equal(pages, before);
    expect(top == page_stats().top);
    for (size_t i = 0; i < count; i++)
        for (uint64_t at = runs[i].base; at < runs[i].end; at += PAGE_SIZE)
            page_free(PHYS(at));
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

    if (!(x86_rdmsr(X86_MSR_EFER) & X86_EFER_NXE)) {
        selftest_leave_out("this processor has no NX");
        return;
    }
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
    {"only_allocated_pages_are_freed", only_allocated_pages_are_freed},
    {"pages_are_distinct", pages_are_distinct},
    {"memory_runs_out_and_comes_back", memory_runs_out_and_comes_back},
    {"nothing_is_writable_and_executable", nothing_is_writable_and_executable},
    {"lower_half_is_empty", lower_half_is_empty},
    {0},
};
