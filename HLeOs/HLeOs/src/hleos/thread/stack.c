/* Slots of STACKS_BASE, whose lower half is never mapped; see stack.h. The kernel is compiled with
 * -fstack-clash-protection: a large frame is accessed page by page, so that none skips the gap. */
#include "thread/stack.h"

#include "cpu/lock.h"
#include "memory/page.h"
#include "memory/paging.h"
#include "std/bit_map.h"

enum { SLOTS = 1024, SLOT_SIZE = 0x8000, STACK_SIZE = 0x4000, KEPT_MAX = 16 };

static struct lock lock = LOCK_INIT("stacks", LOCK_STACKS);
static uint64_t words[SLOTS / 64];
static struct bit_map slots = {.words = words, .bits = SLOTS}; /* lock */

static uint16_t kept[KEPT_MAX]; /* lock; slots of freed stacks, still mapped */
static size_t kept_count;       /* lock */

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

static struct cpu_stack stack_in(size_t slot)
{
    uintptr_t gap = STACKS_BASE + slot * SLOT_SIZE, high = gap + SLOT_SIZE;

    return (struct cpu_stack){.gap = gap, .low = high - STACK_SIZE, .high = high};
}

/* Takes the stack that was freed last. False if no stack is kept. */
static bool take_kept(struct cpu_stack *stack)
{
    uint64_t flags = lock_take(&lock);
    bool any = kept_count > 0;

    if (any)
        *stack = stack_in(kept[--kept_count]);
    lock_give(&lock, flags);
    return any;
}

static bool keep(size_t slot)
{
    uint64_t flags = lock_take(&lock);
    bool room = kept_count < KEPT_MAX;

    if (room)
        kept[kept_count++] = (uint16_t)slot;
    lock_give(&lock, flags);
    return room;
}

bool stack_allocate(struct cpu_stack *stack)
{
    size_t slot;
    uintptr_t at;

    if (take_kept(stack))
        return true;
    slot = take_slot();
    if (slot == SLOTS)
        return false;
    *stack = stack_in(slot);
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
    paging_unmap(stack->low, (at - stack->low) / PAGE_SIZE);
    give_slot(slot);
    return false;
}

/* Keeps the stack mapped if there is room for it: unmapping costs a TLB flush of all processors
 * (cpu/flush.h), and a new stack four pages to map. */
void stack_free(const struct cpu_stack *stack)
{
    size_t slot = (stack->gap - STACKS_BASE) / SLOT_SIZE;

    if (keep(slot))
        return;
    paging_unmap(stack->low, STACK_SIZE / PAGE_SIZE);
    give_slot(slot);
}

size_t stack_pages_kept(void)
{
    return __atomic_load_n(&kept_count, __ATOMIC_RELAXED) * (STACK_SIZE / PAGE_SIZE);
}
