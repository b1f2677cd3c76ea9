/* Visits the boundaries of the map's entries in ascending order; see memory_map.h. */
#include "std/memory_map.h"

#include <stdbool.h>
#include <stddef.h>

enum { ATTRIBUTE_ENABLED = 1 }; /* ACPI 6.4, table 15.375: clear means "ignore this entry" */

static uint64_t end_of(const struct boot_memory *entry)
{
    uint64_t end = entry->base + entry->length;

    return end < entry->base ? UINT64_MAX : end;
}

static bool counts(const struct boot_memory *entry)
{
    return entry->length > 0 && (entry->attributes & ATTRIBUTE_ENABLED);
}

/* The type of the address `at`, 0 if it has no entry. Sets `next` to the next boundary above it, or
 * UINT64_MAX. */
static uint32_t type_at(const struct boot_memory *map, uint32_t count, uint64_t at, uint64_t *next)
{
    uint32_t type = 0;

    *next = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t base = map[i].base, end = end_of(&map[i]);

        if (!counts(&map[i]))
            continue;
        if (base <= at && at < end && map[i].type > type)
            type = map[i].type;
        if (base > at && base < *next)
            *next = base;
        if (end > at && end < *next)
            *next = end;
    }
    return type;
}

uint32_t memory_map_normalise(struct boot_memory map[BOOT_MEMORY_MAX], uint32_t count)
{
    struct boot_memory sorted[BOOT_MEMORY_MAX];
    uint32_t used = 0;
    uint64_t at = 0, next;

    if (count > BOOT_MEMORY_MAX)
        count = BOOT_MEMORY_MAX;
    /* Each round goes up to the next of at most 2 * BOOT_MEMORY_MAX boundaries. */
    for (; at != UINT64_MAX; at = next) {
        uint32_t type = type_at(map, count, at, &next);
        struct boot_memory *last = used > 0 ? &sorted[used - 1] : NULL;

        if (type == 0)
            continue;
        if (last != NULL && last->type == type && end_of(last) == at)
            last->length += next - at;
        else if (used < BOOT_MEMORY_MAX)
            sorted[used++] = (struct boot_memory){at, next - at, type, ATTRIBUTE_ENABLED};
        else
            break;
    }
    for (uint32_t i = 0; i < used; i++)
        map[i] = sorted[i];
    return used;
}
