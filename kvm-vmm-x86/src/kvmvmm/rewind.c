/*
 * A machine's snapshot in this process, and the reset to it: pages that the guest or the VMM has
 * written since are copied back, and the state of KVM and the devices is loaded. See kvmvmm.h.
 */
#include <stdlib.h>
#include <string.h>

#include "host/kvm/memory.h"
#include "host/kvm/reset.h"
#include "host/ram.h"
#include "kvmvmm/machine.h"
#include "vm/state.h"

void kvmvmm_forget_snapshot(struct kvmvmm *m)
{
    struct kvmvmm_saved *s = &m->saved;

    ram_unmap(&s->copy);
    free(s->state);
    free(s->room);
    free(s->log);
    *s = (struct kvmvmm_saved){0};
}

static int make_room(struct kvmvmm *m, struct error *error)
{
    struct kvmvmm_saved *s = &m->saved;
    size_t words = 0;

    s->room_size = vm_state_size(m->vm.vcpu_count);
    for (unsigned i = 0; i < m->vm.memory.count; i++)
        if (memory_log_words(&m->vm.memory.slots[i]) > words)
            words = memory_log_words(&m->vm.memory.slots[i]);
    s->state = malloc(s->room_size);
    s->room = malloc(s->room_size);
    s->log = calloc(words, sizeof *s->log);
    if (s->state == NULL || s->room == NULL || s->log == NULL)
        return error_set(error, "out of memory");
    s->copy.count = m->vm.memory.count;
    for (unsigned i = 0; i < s->copy.count; i++)
        s->copy.slots[i] = (struct memory_slot){
            .base = m->vm.memory.slots[i].base, .size = m->vm.memory.slots[i].size, .fd = -1};
    return ram_map(&s->copy, MEMORY_ANONYMOUS, NULL, error);
}

/* Zero pages take no memory in the copy. */
static void copy_memory(const struct memory *from, const struct memory *to)
{
    static const uint8_t zeroes[PAGE_SIZE];

    for (unsigned i = 0; i < from->count; i++)
        for (uint64_t at = 0; at < from->slots[i].size; at += PAGE_SIZE)
            if (memcmp(from->slots[i].host + at, zeroes, PAGE_SIZE) != 0)
                memcpy(to->slots[i].host + at, from->slots[i].host + at, PAGE_SIZE);
}

/* A slot that is logged already gets an empty log. */
static int begin_logs(struct kvmvmm *m, struct error *error)
{
    struct memory *memory = &m->vm.memory;

    for (unsigned i = 0; i < memory->count; i++)
        if (!memory->slots[i].read_only &&
            (memory->slots[i].logged ? kvm_take_log(m->vm.fd, memory, i, m->saved.log, error) < 0
                                     : kvm_log_memory(m->vm.fd, memory, i, true, error) < 0))
            return -1;
    return 0;
}

int kvmvmm_snapshot(struct kvmvmm *m, struct kvmvmm_error *error)
{
    struct kvmvmm_saved *s = &m->saved;
    struct chunk_writer writer;
    struct error why;

    if (vm_end_of(&m->vm).kind != END_NONE) { /* an older snapshot stays */
        error_set(&why, "the guest has ended: a snapshot could not run");
        return kvmvmm_fail(error, &why);
    }
    kvmvmm_forget_snapshot(m);
    if (make_room(m, &why) < 0)
        goto fail;
    writer = (struct chunk_writer){.bytes = s->state, .room = s->room_size};
    if (vm_save(&m->vm, &writer, &why) < 0 || begin_logs(m, &why) < 0)
        goto fail;
    machine_resume(&m->vm.machine);
    s->state_size = writer.used;
    copy_memory(&m->vm.memory, &s->copy);
    s->taken = true;
    s->stands = m->breakpoints.stands;
    s->at = m->breakpoints.at;
    return 0;

fail:
    kvmvmm_forget_snapshot(m);
    return kvmvmm_fail(error, &why);
}

/* Pieces are so small that memcpy does not use `rep movsb`, which an emulated processor, as in the
 * lab, executes byte by byte. On others this costs nothing. */
static void copy_pages(uint8_t *to, const uint8_t *from, uint64_t size)
{
    enum { PIECE = 1024 };

    for (uint64_t at = 0; at < size; at += PIECE)
        memcpy(to + at, from + at, PIECE);
}

static int copy_back(struct kvmvmm *m, uint64_t *pages, struct error *error)
{
    const struct memory *memory = &m->vm.memory;

    for (unsigned i = 0; i < memory->count; i++) {
        const struct memory_slot *slot = &memory->slots[i];
        struct memory_run run;
        uint64_t page = 0;

        if (!slot->logged)
            continue;
        if (kvm_take_log(m->vm.fd, memory, i, m->saved.log, error) < 0)
            return -1;
        while (memory_next_run(slot, m->saved.log, &page, &run)) {
            copy_pages(slot->host + (run.gpa - slot->base),
                       m->saved.copy.slots[i].host + (run.gpa - slot->base), run.size);
            *pages += run.size / PAGE_SIZE;
        }
    }
    return 0;
}

int kvmvmm_reset(struct kvmvmm *m, uint64_t *pages, struct kvmvmm_error *error)
{
    struct kvmvmm_saved *s = &m->saved;
    struct chunk_reader state = {.bytes = s->state, .size = s->state_size};
    struct chunk_writer room = {.bytes = s->room, .room = s->room_size};
    uint64_t written = 0;
    struct error why;

    if (!s->taken)
        error_set(&why, "there is no snapshot to reset to");
    if (!s->taken || kvm_leave_exit(&m->vm.vcpus[0].cpu, &why) < 0 ||
        copy_back(m, &written, &why) < 0 || vm_rewind(&m->vm, state, room, &why) < 0)
        return kvmvmm_fail(error, &why);
    vm_resume(&m->vm, &m->vm.sleep.holder); /* the guest may be asleep (S3) */
    vm_sleep_init(&m->vm);
    m->breakpoints.stands = s->stands;
    m->breakpoints.at = s->at;
    if (pages != NULL)
        *pages = written;
    return 0;
}
