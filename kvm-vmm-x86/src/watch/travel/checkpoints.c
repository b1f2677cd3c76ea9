/* Checkpoints by dirty pages; see checkpoints.h. */
#include "watch/travel/checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "host/kvm/memory.h"
#include "host/kvm/reset.h"
#include "vm/deck.h"
#include "vm/state.h"
#include "watch/explain/walk.h"
#include "watch/gdb/traps.h"

enum { WORD = 64 };

static const uint8_t zeroes[PAGE_SIZE];

static bool is_crash(uint32_t reason)
{
    return reason == KVM_EXIT_SHUTDOWN || reason == KVM_EXIT_INTERNAL_ERROR ||
           reason == KVM_EXIT_FAIL_ENTRY;
}

static bool has_bit(const uint64_t *log, uint64_t page)
{
    return log[page / WORD] >> page % WORD & 1;
}

static void set_bit(uint64_t *log, uint64_t page)
{
    log[page / WORD] |= UINT64_C(1) << page % WORD;
}

/* Adds the pages written since the last call to `written`. */
static int look(struct checkpoints *c, struct error *error)
{
    const struct memory *memory = &c->vm->memory;

    for (unsigned i = 0; i < memory->count; i++) {
        size_t words = memory_log_words(&memory->slots[i]);
        uint64_t *log = c->written[i] != NULL ? malloc(words * sizeof *log) : NULL;
        int result;

        if (c->written[i] == NULL)
            continue;
        result = log == NULL ? error_set(error, "out of memory")
                             : kvm_take_log(c->vm->fd, memory, i, log, error);
        for (size_t w = 0; w < words && result == 0; w++)
            c->written[i][w] |= log[w];
        free(log);
        if (result < 0)
            return -1;
    }
    return 0;
}

static void forget_written(struct checkpoints *c)
{
    for (unsigned i = 0; i < c->vm->memory.count; i++)
        if (c->written[i] != NULL)
            memset(c->written[i], 0,
                   memory_log_words(&c->vm->memory.slots[i]) * sizeof *c->written[i]);
}

static int compare(const void *a, const void *b)
{
    const struct checkpoint_page *x = a, *y = b;

    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->page < y->page ? -1 : x->page > y->page;
}

static const uint8_t *find(const struct checkpoint *p, const struct checkpoint_page *key)
{
    const struct checkpoint_page *page =
        p->count > 0 ? bsearch(key, p->pages, p->count, sizeof *key, compare) : NULL;

    return page != NULL ? p->bytes + (size_t)(page - p->pages) * PAGE_SIZE : NULL;
}

static const uint8_t *content(const struct checkpoints *c, int number,
                              const struct checkpoint_page *key)
{
    const uint8_t *bytes = NULL;

    for (; number >= 0 && bytes == NULL; number = c->list[number].parent)
        bytes = find(&c->list[number], key);
    return bytes != NULL ? bytes : zeroes;
}

/* Whether a checkpoint must have the page: if it was written or, for the first checkpoint, is not
 * zero. */
static bool belongs(const struct checkpoints *c, unsigned slot, uint64_t page, bool first)
{
    const uint8_t *bytes = c->vm->memory.slots[slot].host + page * PAGE_SIZE;

    return first ? memcmp(bytes, zeroes, PAGE_SIZE) != 0 : has_bit(c->written[slot], page);
}

static int keep_pages(struct checkpoints *c, struct checkpoint *p, bool first, struct error *error)
{
    const struct memory *memory = &c->vm->memory;
    size_t count = 0;

    for (int round = 0; round < 2; round++) { /* the first round counts */
        count = 0;
        for (unsigned i = 0; i < memory->count; i++) {
            for (uint64_t page = 0;
                 page < memory->slots[i].size / PAGE_SIZE && c->written[i] != NULL; page++) {
                if (!belongs(c, i, page, first))
                    continue;
                if (round == 1) {
                    p->pages[count] = (struct checkpoint_page){i, page};
                    memcpy(p->bytes + count * PAGE_SIZE, memory->slots[i].host + page * PAGE_SIZE,
                           PAGE_SIZE);
                }
                count++;
            }
        }
        if (round == 1)
            break;
        if (c->bytes + count * PAGE_SIZE > CHECKPOINTS_BYTES_MAX)
            return error_set(error, "checkpoints take more than %lu MB",
                             CHECKPOINTS_BYTES_MAX >> 20);
        p->pages = malloc((count + 1) * sizeof *p->pages);
        p->bytes = malloc(count * PAGE_SIZE + 1);
        if (p->pages == NULL || p->bytes == NULL)
            return error_set(error, "out of memory");
    }
    p->count = count;
    c->bytes += count * PAGE_SIZE;
    return 0;
}

static int keep_state(struct checkpoints *c, struct checkpoint *p, struct error *error)
{
    struct vcpu *vcpu = &c->vm->vcpus[0];
    const struct kvm_run *run = vcpu->cpu.run;
    struct chunk_writer writer = {.room = vm_state_size(1)};
    const struct tape *tape = &vcpu->deck->tape;
    struct snapshot now;

    p->crash = vcpu->again && is_crash(run->exit_reason);
    p->at_exit =
        vcpu->again && (p->crash || run->exit_reason == KVM_EXIT_HLT ||
                        (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT) ||
                        (run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write));
    p->reason = run->exit_reason;
    p->exits = vcpu->recorded;
    p->string_rip = vcpu->string_rip;
    /* The last tape entry of a guest that waits for input may still be replaced. */
    p->place = vcpu->deck->mode != DECK_RECORD ? vcpu->deck->place
               : tape->may_retry               ? tape->retry
                                               : tape->end;
    memcpy(p->last_exits, vcpu->last_exits, sizeof p->last_exits);
    writer.bytes = p->state = malloc(writer.room);
    if (p->state == NULL)
        return error_set(error, "out of memory");
    if (!p->crash && vm_save(c->vm, &writer, error) < 0)
        return -1;
    p->state_size = writer.used;
    if (kvm_read_registers(&vcpu->cpu, &p->regs, &p->sregs, NULL) < 0)
        return error_set(error, "its registers cannot be read from KVM");
    now = (struct snapshot){.regs = p->regs,
                            .sregs = p->sregs,
                            .memory = &c->vm->memory,
                            .address_bits = c->vm->address_bits};
    p->next.address = snapshot_linear_rip(&now);
    (void)traps_locate(&now, &p->next);
    return 0;
}

/* Drops the CPUID records: CPUID must not be set again, and has not changed. */
static int drop_cpuid(struct checkpoint *p, struct error *error)
{
    struct chunk_reader reader = {.bytes = p->state, .size = p->state_size};
    struct chunk_writer writer = {.bytes = malloc(p->state_size + 1), .room = p->state_size};
    struct chunk chunk;
    int more;

    if (writer.bytes == NULL)
        return error_set(error, "out of memory");
    while ((more = chunk_next(&reader, &chunk, error)) > 0)
        if (strcmp(chunk.name, "vcpu 0 cpuid") != 0)
            chunk_write(&writer, chunk.name, chunk.version, chunk.bytes, chunk.size);
    free(p->state);
    p->state = writer.bytes;
    p->state_size = writer.used;
    return more;
}

static void release(struct checkpoints *c, struct checkpoint *p)
{
    c->bytes -= p->count * PAGE_SIZE;
    free(p->state);
    free(p->pages);
    free(p->bytes);
    *p = (struct checkpoint){0};
}

int checkpoints_take(struct checkpoints *c, struct error *error)
{
    struct checkpoint *p;
    int number = 0;

    while (number < CHECKPOINTS_MAX && c->list[number].used)
        number++;
    if (number == CHECKPOINTS_MAX)
        return error_set(error, "there are %d checkpoints already, the maximum", CHECKPOINTS_MAX);
    p = &c->list[number];
    *p = (struct checkpoint){.used = true, .parent = number == 0 ? -1 : c->at};
    if (look(c, error) < 0 || keep_state(c, p, error) < 0 || drop_cpuid(p, error) < 0 ||
        keep_pages(c, p, number == 0, error) < 0) {
        release(c, p);
        return -1;
    }
    machine_resume(&c->vm->machine); /* vm_save has quiesced it; it has no device with a thread */
    forget_written(c);
    c->at = number;
    return number;
}

int checkpoints_begin(struct checkpoints *c, struct vm *vm, struct error *error)
{
    struct memory *memory = &vm->memory;

    memset(c, 0, sizeof *c);
    c->vm = vm;
    c->begun = true;
    for (unsigned i = 0; i < memory->count; i++) {
        if (memory->slots[i].read_only)
            continue;
        c->written[i] = calloc(memory_log_words(&memory->slots[i]), sizeof *c->written[i]);
        if (c->written[i] == NULL || kvm_log_memory(vm->fd, memory, i, true, error) < 0) {
            checkpoints_end(c);
            return -1;
        }
    }
    if (checkpoints_take(c, error) == 0)
        return 0;
    checkpoints_end(c);
    return -1;
}

void checkpoints_end(struct checkpoints *c)
{
    struct error ignored;

    if (!c->begun)
        return;
    for (int i = 0; i < CHECKPOINTS_MAX; i++)
        release(c, &c->list[i]);
    for (unsigned i = 0; i < MEMORY_SLOTS_MAX; i++) {
        if (c->written[i] != NULL && i < c->vm->memory.count)
            (void)!kvm_log_memory(c->vm->fd, &c->vm->memory, i, false, &ignored);
        free(c->written[i]);
        c->written[i] = NULL;
    }
    c->begun = false;
}

/* Marks the checkpoint's pages, which were written since its parent. */
static void mark_pages(struct checkpoints *c, const struct checkpoint *p)
{
    for (size_t i = 0; i < p->count; i++)
        set_bit(c->written[p->pages[i].slot], p->pages[i].page);
}

static bool is_above(const struct checkpoints *c, int above, int number)
{
    while (number >= 0 && number != above)
        number = c->list[number].parent;
    return number >= 0;
}

/* Marks every page that may differ from checkpoint `number`: those of all checkpoints between. */
static int mark_way(struct checkpoints *c, int number, struct error *error)
{
    if (look(c, error) < 0)
        return -1;
    for (int i = c->at; !is_above(c, i, number); i = c->list[i].parent)
        mark_pages(c, &c->list[i]);
    for (int i = number; !is_above(c, i, c->at); i = c->list[i].parent)
        mark_pages(c, &c->list[i]);
    return 0;
}

void checkpoints_drop(struct checkpoints *c, int number)
{
    struct checkpoint *p = &c->list[number];

    if (number <= 0 || !p->used)
        return;
    for (int i = 0; i < CHECKPOINTS_MAX; i++)
        if (c->list[i].used && c->list[i].parent == number)
            return;
    if (c->at == number) {
        mark_pages(c, p);
        c->at = p->parent;
    }
    release(c, p);
}

/* Gives a checkpoint's pages to its child, where the child lacks them. */
static bool inherit(struct checkpoints *c, struct checkpoint *child, const struct checkpoint *from)
{
    size_t room = child->count + from->count;
    struct checkpoint_page *pages = malloc((room + 1) * sizeof *pages);
    uint8_t *bytes = malloc(room * PAGE_SIZE + 1);
    size_t count = 0, a = 0, b = 0;

    if (pages == NULL || bytes == NULL) {
        free(pages);
        free(bytes);
        return false;
    }
    while (a < child->count || b < from->count) {
        int order = a == child->count  ? 1
                    : b == from->count ? -1
                                       : compare(&child->pages[a], &from->pages[b]);
        const struct checkpoint *source = order <= 0 ? child : from;
        size_t i = order <= 0 ? a : b;

        pages[count] = source->pages[i];
        memcpy(bytes + count++ * PAGE_SIZE, source->bytes + i * PAGE_SIZE, PAGE_SIZE);
        a += order <= 0;
        b += order >= 0;
    }
    c->bytes += (count - child->count) * PAGE_SIZE;
    free(child->pages);
    free(child->bytes);
    child->pages = pages;
    child->bytes = bytes;
    child->count = count;
    return true;
}

void checkpoints_thin(struct checkpoints *c)
{
    int free_ones = 0;

    for (int i = 0; i < CHECKPOINTS_MAX; i++)
        free_ones += !c->list[i].used;
    if (free_ones > 4 && c->bytes < CHECKPOINTS_BYTES_MAX / 2)
        return;
    for (int i = 1; i < CHECKPOINTS_MAX; i += 2) {
        bool kept = c->list[i].used && c->at != i;

        for (int k = 0; k < CHECKPOINTS_MAX && kept; k++)
            if (c->list[k].used && c->list[k].parent == i) {
                kept = inherit(c, &c->list[k], &c->list[i]);
                if (kept)
                    c->list[k].parent = c->list[i].parent;
            }
        if (kept)
            release(c, &c->list[i]);
    }
}

/* Visits every page that may differ. */
static bool each_written(struct checkpoints *c, int number, bool write)
{
    for (unsigned i = 0; i < c->vm->memory.count; i++) {
        const struct memory_slot *slot = &c->vm->memory.slots[i];
        size_t words = c->written[i] != NULL ? memory_log_words(slot) : 0;

        for (uint64_t page = 0; page < words * WORD; page++) {
            struct checkpoint_page key = {i, page};

            if (c->written[i][page / WORD] == 0) {
                page |= WORD - 1;
                continue;
            }
            if (!has_bit(c->written[i], page))
                continue;
            if (write)
                memcpy(slot->host + page * PAGE_SIZE, content(c, number, &key), PAGE_SIZE);
            else if (memcmp(slot->host + page * PAGE_SIZE, content(c, number, &key), PAGE_SIZE) !=
                     0)
                return false;
        }
    }
    return true;
}

bool checkpoints_memory_is(struct checkpoints *c, int number)
{
    struct error ignored;

    return mark_way(c, number, &ignored) == 0 && each_written(c, number, false);
}

int checkpoints_restore(struct checkpoints *c, int number, struct error *error)
{
    const struct checkpoint *p = &c->list[number];
    struct chunk_reader reader = {.bytes = p->state, .size = p->state_size};
    struct vcpu *vcpu = &c->vm->vcpus[0];

    if (kvm_leave_exit(&vcpu->cpu, error) < 0 || mark_way(c, number, error) < 0)
        return -1;
    vm_drop_exit(vcpu);
    (void)each_written(c, number, true);
    forget_written(c);
    c->at = number;
    if (!machine_quiesce(&c->vm->machine) || vm_load(c->vm, &reader, error) < 0)
        return -1;
    machine_resume(&c->vm->machine);
    vcpu->cpu.run->kvm_dirty_regs = 0;
    vcpu->recorded = p->exits;
    vcpu->string_rip = p->string_rip;
    vcpu->deck->place = p->place;
    vcpu->deck->diverged = false;
    memcpy(vcpu->last_exits, p->last_exits, sizeof p->last_exits);
    return 0;
}
