/* Saves guests; see save.h. */
#include "vm/save.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "vm/life.h"
#include "vm/memory.h"
#include "vm/store.h"
#include "vm/vcpu.h"

_Static_assert(sizeof(struct vcpu_csrs) == sizeof(((struct saved_vcpu *)0)->csr) &&
                   FW_COUNTERS == ARRAY_SIZE(((struct saved_vcpu *)0)->counter) &&
                   sizeof(((struct vcpu *)0)->events) == sizeof(((struct saved_vcpu *)0)->event) &&
                   FW_EVENTS == ARRAY_SIZE(((struct saved_vcpu *)0)->events),
               "all of a vCPU is saved");

/* The current save. The caller of store_open() owns it until store_close(). */
struct save {
    uint64_t save, record; /* its number, and the next record's */
    enum saved_kind stage; /* the part that is written next, */
    uint64_t at;           /* from this address or number */
    bool wiped;            /* the earlier save on the disk is certainly erased */
};

static struct save job;

static uint32_t save_head(const struct vm *vm, struct saved_head *h)
{
    *h = (struct saved_head){.version = SAVED_VERSION,
                             .vcpus = vm->vcpu_count,
                             .records = job.record,
                             .timebase = machine.timebase,
                             .vlenb = features.vlenb,
                             .ram_base = vm->ram_base,
                             .ram_size = vm->ram_size,
                             .disk_size = vm->blk != NULL ? blk_image_size(vm->blk) : 0,
                             .time = vm->paused_at + vm->time_delta};
    string_copy(h->isa, features.isa, sizeof h->isa);
    config_write(&vm->config, h->manifest);
    return sizeof *h;
}

/* After a load, a device repeats the request that it had not finished. */
static void save_slot(const struct slot *slot, struct saved_slot *s)
{
    struct virtio dev = slot->virtio;

    if (slot->holds)
        virtio_unpop(&dev, &slot->request);
    *s = (struct saved_slot){.id = slot->kind->virtio.id, .state = dev.state};
}

static uint32_t save_devices(struct vm *vm, struct saved_devices *d)
{
    const struct uart *uart = &vm->uart;
    const struct console *console = &vm->console;
    LOCK_FOR_BLOCK(&vm->lock);

    *d = (struct saved_devices){.plic = vm->plic.state,
                                .uart = uart->chip.state,
                                .rtc = vm->rtc.state,
                                .uart_count = uart->queue_count,
                                .uart_holds = uart->holding,
                                .uart_held = uart->held,
                                .console_count = console->count};
    for (unsigned i = 0; i < uart->queue_count; i++)
        d->uart_queue[i] = uart->queue[(uart->queue_head + i) % UART_QUEUE];
    for (unsigned i = 0; i < console->count; i++)
        d->console_queue[i] = console->typed[(console->head + i) % CONSOLE_TYPED];
    for (unsigned i = 0; i < vm->slot_count; i++)
        save_slot(&vm->slots[i], &d->slot[i]);
    return sizeof *d;
}

static uint32_t save_vcpu(const struct vcpu *v, struct saved_vcpu *s)
{
    *s = (struct saved_vcpu){.pc = v->regs.pc,
                             .sstatus = v->regs.sstatus,
                             .hstatus = v->regs.hstatus,
                             .vstart = v->vector.vstart,
                             .vl = v->vector.vl,
                             .vtype = v->vector.vtype,
                             .vcsr = v->vector.vcsr,
                             .resume_pc = v->resume_pc,
                             .resume_arg = v->resume_arg,
                             .soft_timer = v->soft_timer,
                             .steal = v->steal,
                             .inject = v->inject,
                             .waited = v->task.waited,
                             .steal_sequence = v->steal_sequence,
                             .suspend = v->suspend,
                             .task = v->task.state,
                             .switches = (v->ad_updating ? SAVED_AD_UPDATING : 0) |
                                         (v->ad_locked ? SAVED_AD_LOCKED : 0) |
                                         (v->events_masked ? SAVED_EVENTS_MASKED : 0) |
                                         (v->event_due ? SAVED_EVENT_DUE : 0)};
    memcpy(s->x, v->regs.x, sizeof s->x);
    memcpy(s->f, v->f, sizeof s->f);
    memcpy(s->csr, &v->csr, sizeof s->csr);
    memcpy(s->events, v->fw_events, sizeof s->events);
    memcpy(s->event, v->events, sizeof s->event);
    for (unsigned i = 0; i < FW_COUNTERS; i++) {
        const struct fw_counter *c = &v->fw_counters[i];

        s->counter[i] = (struct saved_counter){.used = c->used,
                                               .running = c->running,
                                               .event = c->event,
                                               .value = c->value,
                                               .started_at = c->started_at};
    }
    return sizeof *s;
}

static bool is_zero(const uint64_t *words, uint64_t size)
{
    uint64_t all = 0;

    for (uint64_t i = 0; i < size / sizeof *words; i++)
        all |= words[i];
    return all == 0;
}

/* Saves the next piece of RAM. Returns 0 if there is no more, or the piece is all zero. */
static uint32_t save_ram(struct vm *vm, void *bytes)
{
    gpa_t end = vm->ram_base + vm->ram_size;
    struct gstage_leaf leaf;
    uint64_t n;

    lock_take(&vm->stage_lock);
    if (!gstage_next(&vm->stage, job.at, end, &leaf))
        job.at = end;
    lock_drop(&vm->stage_lock);
    if (job.at < end && leaf.gpa > job.at)
        job.at += ALIGN_DOWN(leaf.gpa - job.at, SAVED_CHUNK);
    n = min64(SAVED_CHUNK, end - job.at);
    if (n == 0 || !memory_read(vm, job.at, bytes, n))
        return 0;
    cpu_serve_interrupts(); /* each pass over the piece takes long */
    return is_zero(bytes, n) ? 0 : (uint32_t)n;
}

static uint32_t save_disk(const struct vm *vm, void *bytes)
{
    uint64_t size = vm->blk != NULL ? blk_image_size(vm->blk) : 0;
    uint64_t n = min64(SAVED_CHUNK, size - job.at);

    if (n > 0)
        memcpy(bytes, vm->blk->image + job.at, n);
    return (uint32_t)n;
}

/* The end of the part that is being written. */
static uint64_t end_of_stage(const struct vm *vm)
{
    switch (job.stage) {
    case SAVED_VCPU:
        return vm->vcpu_count;
    case SAVED_VECTOR:
        return features.vector ? vm->vcpu_count : 0;
    case SAVED_RAM:
        return vm->ram_base + vm->ram_size;
    case SAVED_DISK:
        return vm->blk != NULL ? blk_image_size(vm->blk) : 0;
    default:
        return 1;
    }
}

/* Fills a record with the next piece. Returns its size, 0 if the piece is empty. */
static uint32_t fill_record(struct vm *vm)
{
    uint32_t size;

    switch (job.stage) {
    case SAVED_NOTHING: /* makes the earlier save invalid */
        return 0;
    case SAVED_DEVICES:
        return save_devices(vm, store_payload());
    case SAVED_VCPU:
        return save_vcpu(vm->vcpus[job.at], store_payload());
    case SAVED_VECTOR:
        size = (uint32_t)(SAVED_VECTORS * features.vlenb);
        memcpy(store_payload(), vm->vcpus[job.at]->vector.registers, size);
        return size;
    case SAVED_RAM:
        return save_ram(vm, store_payload());
    case SAVED_DISK:
        return save_disk(vm, store_payload());
    default:
        return save_head(vm, store_payload());
    }
}

/* Moves behind the piece just written. True if another part begins there. */
static bool move_on(const struct vm *vm)
{
    bool bytes = job.stage == SAVED_RAM || job.stage == SAVED_DISK;

    job.at += bytes ? min64(SAVED_CHUNK, end_of_stage(vm) - job.at) : 1;
    return job.at >= end_of_stage(vm);
}

/* The known state of the disk after a failed save. */
static const char *left_over(void)
{
    if (job.stage == SAVED_NOTHING)
        return "unchanged";
    if (job.stage > SAVED_HEAD)
        return "may hold all of this save";
    return job.wiped ? "holds no save" : "may hold an older save";
}

static enum vm_clone saved(const struct vm *vm, const char *wrong)
{
    const unsigned disk = store_number();
    const uint64_t size = job.record * SAVED_SECTORS * SAVED_SECTOR, took = store_microseconds();
    const char *left = left_over();

    store_close(); /* first: the user may start another after reading the line */
    if (wrong == NULL)
        print("hv: vm %s: saved on disk %u, %lu KiB, in %lu us\n", vm->config.name, disk,
              size / KIB, took);
    else
        print("hv: vm %s: not saved: %s; disk %u %s\n", vm->config.name, wrong, disk, left);
    return wrong == NULL ? CLONE_MADE : CLONE_NOT_MADE;
}

/* Writes the next record, or moves on to the next part. Returns what is wrong, or NULL. */
static const char *save_piece(struct vm *vm)
{
    bool first = job.stage == SAVED_NOTHING || job.stage == SAVED_HEAD;
    uint32_t size = 0;
    const char *wrong;

    if (job.at < end_of_stage(vm)) {
        size = fill_record(vm);
        if (size > 0 || job.stage == SAVED_NOTHING) {
            cpu_serve_interrupts();
            saved_seal(store_record(), job.stage, job.save, first ? 0 : job.record, job.at, size);
            wrong = store_begin(first ? 0 : job.record, true);
            if (wrong != NULL)
                return wrong;
            job.record += !first;
        }
    }
    if (job.at >= end_of_stage(vm) || move_on(vm)) {
        job.stage++;
        job.at = job.stage == SAVED_RAM ? vm->ram_base : 0;
    }
    return NULL;
}

enum vm_clone save_step(struct vm *vm, bool give_up)
{
    int state = give_up ? DISK_ERROR : store_state();
    const char *wrong;

    if (give_up)
        return saved(vm, "the guest has ended");
    if (state == DISK_BUSY)
        return CLONE_WAIT;
    if (state != DISK_OK)
        return saved(vm, "a disk request failed");
    job.wiped = job.stage > SAVED_NOTHING;
    if (job.stage > SAVED_HEAD)
        return saved(vm, NULL);
    wrong = save_piece(vm);
    return wrong == NULL ? CLONE_MORE : saved(vm, wrong);
}

bool save_begin(struct vm *vm, unsigned disk)
{
    if (!store_open(disk))
        return false;
    job.save = hyp_time();
    job.record = 1;
    job.stage = SAVED_NOTHING;
    job.at = 0;
    job.wiped = false;
    if (life_save(vm))
        return true;
    store_close();
    return false;
}
