/* Guest-physical memory: the one checked way to it; see memory.h. */
#include "base/memory.h"

#include <string.h>

void memory_init(struct memory *memory, gpa_t base, uint64_t size, uint8_t *host)
{
    uint64_t low = size;

    if (base + size > MEMORY_HOLE_START)
        low = MEMORY_HOLE_START - base;
    *memory = (struct memory){.regions = {{.base = base, .size = low, .host = host}}, .count = 1};
    if (low < size) {
        memory->regions[1] =
            (struct memory_region){.base = MEMORY_HOLE_END, .size = size - low, .host = host + low};
        memory->count = 2;
    }
}

void *memory_at(const struct memory *memory, gpa_t gpa, uint64_t length)
{
    if (length == 0)
        length = 1;
    for (unsigned i = 0; i < memory->count; i++) {
        const struct memory_region *r = &memory->regions[i];

        if (gpa >= r->base && gpa - r->base < r->size && length <= r->size - (gpa - r->base))
            return r->host + (gpa - r->base);
    }
    return NULL;
}

bool memory_read(const struct memory *memory, gpa_t gpa, void *to, size_t length)
{
    const void *from = memory_at(memory, gpa, length);

    if (from == NULL)
        return false;
    memcpy(to, from, length);
    return true;
}

bool memory_write(const struct memory *memory, gpa_t gpa, const void *from, size_t length)
{
    void *to = memory_at(memory, gpa, length);

    if (to == NULL)
        return false;
    memcpy(to, from, length);
    return true;
}

gpa_t memory_low_end(const struct memory *memory)
{
    return memory->regions[0].base + memory->regions[0].size;
}

gpa_t memory_end(const struct memory *memory)
{
    const struct memory_region *last = &memory->regions[memory->count - 1];

    return last->base + last->size;
}
