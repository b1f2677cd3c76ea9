/* Guest-physical memory: its slots, and the checked access to them; see memory.h. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

void memory_init(struct memory *memory, gpa_t base, uint64_t size, uint8_t *host)
{
    uint64_t low = size;

    if (base + size > MEMORY_HOLE_START)
        low = MEMORY_HOLE_START - base;
    *memory =
        (struct memory){.slots = {{.base = base, .size = low, .host = host, .fd = -1}}, .count = 1};
    if (low < size)
        memory->slots[memory->count++] =
            (struct memory_slot){.base = MEMORY_HOLE_END,
                                 .size = size - low,
                                 .host = host != NULL ? host + low : NULL,
                                 .fd = -1};
}

const struct memory_slot *memory_slot_at(const struct memory *memory, gpa_t gpa)
{
    for (unsigned i = 0; i < memory->count; i++)
        if (gpa - memory->slots[i].base < memory->slots[i].size)
            return &memory->slots[i];
    return NULL;
}

void *memory_at(const struct memory *memory, gpa_t gpa, uint64_t length)
{
    const struct memory_slot *slot = memory_slot_at(memory, gpa);

    if (slot == NULL || length > slot->size - (gpa - slot->base))
        return NULL;
    return slot->host + (gpa - slot->base);
}

int memory_iovec(const struct memory *memory, gpa_t gpa, uint64_t length, bool write,
                 struct iovec *entries, unsigned room)
{
    unsigned count = 0;

    while (length > 0) {
        const struct memory_slot *slot = memory_slot_at(memory, gpa);
        uint64_t part;

        if (slot == NULL || (write && slot->read_only) || count == room)
            return -1;
        part = slot->size - (gpa - slot->base);
        part = part < length ? part : length;
        entries[count++] =
            (struct iovec){.iov_base = slot->host + (gpa - slot->base), .iov_len = part};
        gpa += part;
        length -= part;
    }
    return (int)count;
}

bool memory_is_zero(const void *bytes, size_t size)
{
    const uint8_t *all = bytes;

    return size == 0 || (all[0] == 0 && memcmp(all, all + 1, size - 1) == 0);
}

bool memory_holds(const struct memory *memory, gpa_t gpa, uint64_t length)
{
    struct iovec entries[MEMORY_SLOTS_MAX];

    return memory_iovec(memory, gpa, length != 0 ? length : 1, false, entries, MEMORY_SLOTS_MAX) >
           0;
}

bool memory_read(const struct memory *memory, gpa_t gpa, void *to, size_t length)
{
    struct iovec entries[MEMORY_SLOTS_MAX];
    int count = memory_iovec(memory, gpa, length, false, entries, MEMORY_SLOTS_MAX);

    for (int i = 0; i < count; i++) {
        memcpy(to, entries[i].iov_base, entries[i].iov_len);
        to = (uint8_t *)to + entries[i].iov_len;
    }
    return count >= 0;
}

bool memory_write(const struct memory *memory, gpa_t gpa, const void *from, size_t length)
{
    struct iovec entries[MEMORY_SLOTS_MAX];
    int count = memory_iovec(memory, gpa, length, true, entries, MEMORY_SLOTS_MAX);

    for (int i = 0; i < count; i++) {
        memcpy(entries[i].iov_base, from, entries[i].iov_len);
        from = (const uint8_t *)from + entries[i].iov_len;
    }
    if (count >= 0)
        memory_log_write(memory, gpa, length);
    return count >= 0;
}

/* A page is logged after its bytes are written, so that a reader of the log sees them. Pairs with
 * the acquire in memory_take_written. */
static void log_part(const struct memory_slot *slot, uint64_t from, uint64_t length)
{
    uint64_t first = from / PAGE_SIZE, last = (from + length - 1) / PAGE_SIZE;

    for (uint64_t page = first; page <= last; page++)
        __atomic_fetch_or(&slot->written[page / WORD_BITS], UINT64_C(1) << page % WORD_BITS,
                          __ATOMIC_RELEASE);
}

void memory_log_write(const struct memory *memory, gpa_t gpa, uint64_t length)
{
    while (length > 0) {
        const struct memory_slot *slot = memory_slot_at(memory, gpa);
        uint64_t part;

        if (slot == NULL)
            return;
        part = slot->size - (gpa - slot->base);
        part = part < length ? part : length;
        if (__atomic_load_n(&slot->logged, __ATOMIC_ACQUIRE))
            log_part(slot, gpa - slot->base, part);
        gpa += part;
        length -= part;
    }
}

size_t memory_log_words(const struct memory_slot *slot)
{
    return (slot->size + PAGE_SIZE * WORD_BITS - 1) / (PAGE_SIZE * WORD_BITS);
}

/* Once allocated, `written` is freed only with its slot: a writer that has seen `logged` may be
 * using it. */
int memory_set_logged(struct memory_slot *slot, bool logged)
{
    size_t words = memory_log_words(slot);

    if (logged && slot->written == NULL)
        slot->written = calloc(words, sizeof *slot->written);
    if (logged && slot->written == NULL)
        return -1;
    __atomic_store_n(&slot->logged, logged, __ATOMIC_RELEASE);
    for (size_t i = 0; !logged && slot->written != NULL && i < words; i++)
        __atomic_store_n(&slot->written[i], 0, __ATOMIC_RELAXED);
    return 0;
}

void memory_take_written(const struct memory_slot *slot, uint64_t *log)
{
    for (size_t i = 0; slot->written != NULL && i < memory_log_words(slot); i++)
        if (__atomic_load_n(&slot->written[i], __ATOMIC_RELAXED) != 0)
            log[i] |= __atomic_exchange_n(&slot->written[i], 0, __ATOMIC_ACQUIRE);
}

/* The first page from `page` on whose bit is `set`, or `pages`. */
static uint64_t find_page(const uint64_t *log, uint64_t page, uint64_t pages, bool set)
{
    while (page < pages) {
        uint64_t word = set ? log[page / WORD_BITS] : ~log[page / WORD_BITS];

        word &= UINT64_MAX << page % WORD_BITS;
        page -= page % WORD_BITS;
        if (word != 0) {
            page += (unsigned)__builtin_ctzll(word);
            return page < pages ? page : pages;
        }
        page += WORD_BITS;
    }
    return pages;
}

bool memory_next_run(const struct memory_slot *slot, const uint64_t *log, uint64_t *page,
                     struct memory_run *run)
{
    uint64_t pages = (slot->size + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t first = find_page(log, *page, pages, true);

    *page = find_page(log, first, pages, false);
    *run = (struct memory_run){.gpa = slot->base + first * PAGE_SIZE,
                               .size = (*page - first) * PAGE_SIZE};
    return first < pages;
}

uint64_t memory_bytes(const struct memory *memory)
{
    uint64_t size = 0;

    for (unsigned i = 0; i < memory->count; i++)
        size += memory->slots[i].size;
    return size;
}

gpa_t memory_low_end(const struct memory *memory)
{
    return memory->slots[0].base + memory->slots[0].size;
}

gpa_t memory_end(const struct memory *memory)
{
    const struct memory_slot *last = &memory->slots[memory->count - 1];

    return last->base + last->size;
}
