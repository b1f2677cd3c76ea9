/* Thread stacks: slots of STACKS_BASE, each with an unmapped page at its low end. */
#include "cpu.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "std/bit_map.h"
#include "thread/sched.h"

extern char boot_stack[], boot_stack_end[];

enum { SLOTS = 1024, SLOT_SIZE = 0x8000, STACK_SIZE = 0x4000 };

static struct lock lock = LOCK_INIT("stacks");
static uint64_t words[SLOTS / 64];
static struct bit_map slots = {.words = words, .bits = SLOTS}; /* lock */

static size_t take_slot(void)
{
    uint64_t flags = lock_take(&lock);
    size_t slot = bit_map_next_clear(&slots, 0, SLOTS);

    if (slot < SLOTS)
        bit_map_set(&slots, slot);
    lock_give(&lock, flags);
    return slot;
}

static void give_slot(size_t slot)
{
    uint64_t flags = lock_take(&lock);

    bit_map_clear(&slots, slot);
    lock_give(&lock, flags);
}

static void unmap(uintptr_t low, uintptr_t high)
{
    for (; low < high; low += PAGE_SIZE)
        page_free(paging_unmap(low));
}

bool stack_allocate(uintptr_t *low, uintptr_t *high)
{
    size_t slot = take_slot();
    uintptr_t at;

    if (slot == SLOTS)
        return false;
    *high = STACKS_BASE + (slot + 1) * SLOT_SIZE;
    *low = *high - STACK_SIZE;
    for (at = *low; at < *high; at += PAGE_SIZE) {
        phys_t page = page_allocate();

        if (page.at == 0)
            break;
        if (paging_map(at, page, PAGING_WRITE) < 0) {
            page_free(page);
            break;
        }
    }
    if (at == *high)
        return true;
    unmap(*low, at);
    give_slot(slot);
    return false;
}

void stack_free(uintptr_t low, uintptr_t high)
{
    unmap(low, high);
    give_slot((high - STACKS_BASE) / SLOT_SIZE - 1);
}

static bool inside(uintptr_t at, size_t size, uintptr_t low, uintptr_t high)
{
    return at >= low && at < high && size <= high - at;
}

bool thread_owns_stack(uintptr_t at, size_t size)
{
    const struct cpu *cpu = cpu_this();

    if (inside(at, size, (uintptr_t)boot_stack, (uintptr_t)boot_stack_end))
        return true;
    for (unsigned i = 0; i < CPU_ISTS; i++)
        if (inside(at, size, cpu->tss.ist[i] - CPU_IST_STACK_SIZE, cpu->tss.ist[i]))
            return true;
    return cpu->current != NULL &&
           inside(at, size, cpu->current->stack_low, cpu->current->stack_high);
}
