/* Numbers for things that come again; see intern.h. Open addressing, half full at most. */
#include "watch/record/intern.h"

uint32_t log_intern(struct log_intern *intern, uint64_t key, uint64_t example)
{
    uint32_t slot = (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % LOG_INTERN_SLOTS;

    while (intern->slots[slot] != 0) {
        uint32_t number = intern->slots[slot] - 1;

        if (intern->keys[number] == key)
            return number;
        slot = (slot + 1) % LOG_INTERN_SLOTS;
    }
    if (intern->count == LOG_INTERN_MAX)
        return LOG_INTERN_MAX;
    intern->keys[intern->count] = key;
    intern->examples[intern->count] = example;
    intern->slots[slot] = ++intern->count;
    return intern->count - 1;
}
