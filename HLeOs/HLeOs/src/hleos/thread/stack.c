/* Slots of STACKS_BASE, whose lower half is never mapped; see stack.h. The kernel is compiled with
 * -fstack-clash-protection: a large frame is touched page by page, so that none jumps the gap. */
#include "thread/stack.h"

#include "cpu/lock.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "std/bit_map.h"

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

bool stack_allocate(struct cpu_stack *stack)
{
    size_t slot = take_slot();
    uintptr_t at;

    if (slot == SLOTS)
        return false;
    stack->gap = STACKS_BASE + slot * SLOT_SIZE;
    stack->high = stack->gap + SLOT_SIZE;
    stack->low = stack->high - STACK_SIZE;
    for (at = stack->low; at < stack->high; at += PAGE_SIZE) {
        phys_t page = page_allocate();

        if (page.at == 0)
            break;
        if (paging_map(at, page, PAGING_WRITE) < 0) {
            page_free(page);
            break;
        }
    }
    if (at == stack->high)
        return true;
    unmap(stack->low, at);
    give_slot(slot);
    return false;
}

void stack_free(const struct cpu_stack *stack)
{
    unmap(stack->low, stack->high);
    give_slot((stack->gap - STACKS_BASE) / SLOT_SIZE);
}
