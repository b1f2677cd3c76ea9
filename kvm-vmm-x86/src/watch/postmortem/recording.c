/* A guest's input, exit by exit; see recording.h. */
#include "watch/postmortem/recording.h"

#include <stdlib.h>
#include <string.h>

/* An entry: how many silent exits came before it, a byte of these, and what they announce. */
enum { ENTRY_DATA = 1, ENTRY_REGISTERS = 2 };

/* Where an exit's answer goes, and its length; 0 where it asks for nothing. */
static uint8_t *answer_of(struct kvm_run *run, uint16_t *length)
{
    *length = 0;
    if (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN) {
        *length = (uint16_t)(run->io.size * run->io.count);
        return (uint8_t *)run + run->io.data_offset;
    }
    if (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write) {
        *length = sizeof run->mmio.data;
        return run->mmio.data;
    }
    return NULL;
}

static bool make_room(struct recording *r, size_t count)
{
    size_t size = r->size == 0 ? 4096 : r->size;
    uint8_t *bytes;

    if (r->used + count <= r->size)
        return true;
    while (size < r->used + count)
        size *= 2;
    bytes = size <= RECORDING_MAX ? realloc(r->bytes, size) : NULL;
    if (bytes == NULL) {
        recording_release(r);
        r->lost = true;
        return false;
    }
    r->bytes = bytes;
    r->size = size;
    return true;
}

static void put(struct recording *r, const void *from, size_t count)
{
    memcpy(r->bytes + r->used, from, count);
    r->used += count;
}

void recording_add(struct recording *r, const struct kvm_run *run)
{
    uint16_t length;
    const uint8_t *answer = answer_of((struct kvm_run *)run, &length); /* only read here */
    bool changed = run->kvm_dirty_regs & KVM_SYNC_X86_REGS;
    uint8_t tag = (length > 0 ? ENTRY_DATA : 0) | (changed ? ENTRY_REGISTERS : 0);

    if (r->lost || !make_room(r, sizeof r->silent + sizeof tag + sizeof length + length +
                                     sizeof run->s.regs.regs))
        return;
    put(r, &r->silent, sizeof r->silent);
    r->silent = 0;
    put(r, &tag, sizeof tag);
    if (length > 0) {
        put(r, &length, sizeof length);
        put(r, answer, length);
    }
    if (changed)
        put(r, &run->s.regs.regs, sizeof run->s.regs.regs);
}

void recording_release(struct recording *r)
{
    free(r->bytes);
    *r = (struct recording){0};
}

static bool take(const struct recording *r, size_t *at, void *to, size_t count)
{
    if (count > r->used - *at)
        return false;
    memcpy(to, r->bytes + *at, count);
    *at += count;
    return true;
}

bool recording_play(const struct recording *r, struct recording_place *place, struct kvm_run *run)
{
    uint16_t wanted, length = 0;
    uint8_t *answer = answer_of(run, &wanted);
    size_t at = place->at;
    uint64_t silent = r->silent;
    uint8_t tag;

    if (r->lost || (at < r->used && !take(r, &at, &silent, sizeof silent)))
        return false;
    if (place->silent < silent) {
        place->silent++;
        return wanted == 0;
    }
    if (!take(r, &at, &tag, sizeof tag) ||
        ((tag & ENTRY_DATA) && !take(r, &at, &length, sizeof length)))
        return false;
    if (length != wanted || (length > 0 && !take(r, &at, answer, length)))
        return false;
    if (tag & ENTRY_REGISTERS) {
        if (!take(r, &at, &run->s.regs.regs, sizeof run->s.regs.regs))
            return false;
        run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
    }
    *place = (struct recording_place){.at = at};
    return true;
}
