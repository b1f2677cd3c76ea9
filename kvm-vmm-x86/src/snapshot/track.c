/* Tracks pages written since the last snapshot; see track.h. */
#include "snapshot/track.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/kvm/memory.h"

enum { WORD_BITS = 64 };

_Static_assert(MEMORY_SLOTS_MAX <= 32, "a bit for each slot");

/* *begun: the slots whose log was started here. */
static int begin_slot(struct snapshot_track *t, struct vm *vm, unsigned i, uint32_t *begun,
                      struct error *error)
{
    struct memory_slot *slot = &vm->memory.slots[i];

    if (slot->read_only)
        return 0;
    if (slot->backing == MEMORY_SHARED)
        return error_set(error, "--diff: the guest's memory is shared with other processes, whose "
                                "writes KVM does not log");
    t->pages[i] = calloc(memory_log_words(slot), sizeof *t->pages[i]);
    if (t->pages[i] == NULL)
        return error_set(error, "out of memory");
    if (slot->logged)
        return 0;
    if (kvm_log_memory(vm->fd, &vm->memory, i, true, error) < 0)
        return -1;
    *begun |= 1u << i;
    return 0;
}

int snapshot_track_begin(struct snapshot_track *track, struct vm *vm, struct error *error)
{
    uint32_t begun = 0;
    struct error ignored;
    int result = 0;

    *track = (struct snapshot_track){.on = true};
    for (unsigned i = 0; i < vm->memory.count && result == 0; i++)
        result = begin_slot(track, vm, i, &begun, error);
    for (unsigned i = 0; i < vm->memory.count && result < 0; i++)
        if (begun >> i & 1)
            (void)!kvm_log_memory(vm->fd, &vm->memory, i, false, &ignored);
    if (result < 0)
        snapshot_track_forget(track);
    return result;
}

static int look_at(struct snapshot_track *t, struct vm *vm, unsigned i, struct error *error)
{
    size_t words = memory_log_words(&vm->memory.slots[i]);
    uint64_t *log = malloc(words * sizeof *log);
    int result = log != NULL ? kvm_take_log(vm->fd, &vm->memory, i, log, error)
                             : error_set(error, "out of memory");

    for (size_t word = 0; result == 0 && word < words; word++)
        t->pages[i][word] |= log[word];
    free(log);
    return result;
}

int snapshot_track_look(struct snapshot_track *track, struct vm *vm, struct error *error)
{
    for (unsigned i = 0; i < vm->memory.count; i++)
        if (track->pages[i] != NULL && look_at(track, vm, i, error) < 0)
            return -1;
    return 0;
}

void snapshot_track_written(struct snapshot_track *track, const char *folder, uint32_t sum,
                            bool diff)
{
    track->written = (struct snapshot_taken){.sum = sum, .layers = 1};
    if (diff)
        track->written.layers += track->last.layers;
    snprintf(track->written.folder, sizeof track->written.folder, "%s", folder);
}

/* No log was taken since that snapshot was written, so `pages` has exactly its pages, and pages
 * written since are still in the log. */
bool snapshot_track_placed(struct snapshot_track *track, const struct memory *memory, uint32_t sum)
{
    if (track->written.folder[0] == '\0' || track->written.sum != sum)
        return false;
    track->last = track->written;
    snapshot_track_drop(track);
    for (unsigned i = 0; i < memory->count; i++)
        if (track->pages[i] != NULL)
            memset(track->pages[i], 0, memory_log_words(&memory->slots[i]) * sizeof(uint64_t));
    return true;
}

void snapshot_track_drop(struct snapshot_track *track)
{
    track->written = (struct snapshot_taken){0};
}

void snapshot_track_forget(struct snapshot_track *track)
{
    for (unsigned i = 0; i < MEMORY_SLOTS_MAX; i++)
        free(track->pages[i]);
    *track = (struct snapshot_track){0};
}

uint64_t snapshot_track_count(const struct snapshot_track *track, const struct memory *memory)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < memory->count; i++)
        for (size_t word = 0; track->pages[i] != NULL && word < memory_log_words(&memory->slots[i]);
             word++)
            count += (unsigned)__builtin_popcountll(track->pages[i][word]);
    return count;
}

void snapshot_track_map(const struct snapshot_track *track, const struct memory *memory,
                        uint64_t *map)
{
    uint64_t at = 0;

    memset(map, 0, snapshot_map_size(memory_bytes(memory)));
    for (unsigned i = 0; i < memory->count; i++) {
        uint64_t pages = memory->slots[i].size / PAGE_SIZE;

        for (uint64_t page = 0; track->pages[i] != NULL && page < pages; page++)
            if (track->pages[i][page / WORD_BITS] >> page % WORD_BITS & 1)
                map[(at + page) / WORD_BITS] |= UINT64_C(1) << (at + page) % WORD_BITS;
        at += pages;
    }
}
