/* Clones; see clone.h. */
#include "vm/clone.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "lib/random.h"
#include "mem/page.h"
#include "vm/life.h"
#include "vm/make.h"
#include "vm/vcpu.h"

enum { DISK_STEP = 65536 };

/* ---- Memory ---- */

/* Shares one mapping, of 2 MiB at most: a larger one is split first. True after the last one. */
static bool share_memory(struct vm *vm, struct vm_cloning *c)
{
    struct gstage_leaf leaf;
    int result;
    LOCK_FOR_BLOCK(&vm->stage_lock);

    if (!gstage_next(&vm->stage, c->shared, vm->ram_base + vm->ram_size, &leaf))
        return true;
    if (leaf.level > GSTAGE_2M) {
        result = gstage_split(&vm->stage, leaf.gpa);
    } else {
        result = gstage_share(&vm->stage, &c->clone->stage, &leaf);
        c->shared = leaf.gpa + gstage_size(leaf.level);
    }
    c->failed = result != GSTAGE_OK;
    return false;
}

/* Copies a piece of the disk. True when all is copied, or the VM has no disk. */
static bool copy_disk(const struct vm *vm, struct vm_cloning *c)
{
    const struct blk *from = vm->blk;
    uint64_t size = from != NULL ? blk_image_size(from) : 0, n;

    if (c->copied == size)
        return true;
    n = min64(DISK_STEP, size - c->copied);
    memcpy(c->clone->blk->image + c->copied, from->image + c->copied, n);
    c->copied += n;
    return false;
}

/* ---- vCPUs and devices ---- */

static void copy_vcpu(const struct vcpu *from, struct vcpu *to)
{
    to->regs = from->regs;
    memcpy(to->f, from->f, sizeof to->f);
    to->csr = from->csr;
    if (to->vector.registers != NULL) {
        void *registers = to->vector.registers;

        to->vector = from->vector;
        to->vector.registers = registers;
        memcpy(registers, from->vector.registers, 32 * features.vlenb);
    }
    to->suspend = from->suspend;
    to->resume_pc = from->resume_pc;
    to->resume_arg = from->resume_arg;
    to->soft_timer = from->soft_timer;
    to->steal = from->steal;
    to->steal_sequence = from->steal_sequence;
    to->ad_updating = from->ad_updating;
    to->ad_locked = from->ad_locked;
    memcpy(to->events, from->events, sizeof to->events);
    to->events_masked = from->events_masked;
    to->event_due = from->event_due;
    to->inject = from->inject;
    to->irq_file.select = from->irq_file.select;
    to->external = from->external;
    to->fences = FENCE_VVMA | FENCE_I | FENCE_GVMA;
    memcpy(to->fw_counters, from->fw_counters, sizeof to->fw_counters);
    memcpy(to->fw_events, from->fw_events, sizeof to->fw_events);
    to->task.waited = from->task.waited;
    /* The clone's task is held and in no queue. What it waits for is checked when it is
     * released. */
    to->task.state = from->task.state;
    vcpu_changed(to);
}

static void copy_slot(const struct slot *from, struct slot *to)
{
    struct virtio_part *parts = to->parts;

    to->virtio.state = from->virtio.state;
    to->virtio.resetting = from->virtio.resetting;
    memcpy(to->virtio.in_flight, from->virtio.in_flight, sizeof to->virtio.in_flight);
    to->kicked = from->kicked;
    to->broken = from->broken;
    to->holds = from->holds;
    to->request = from->request;
    to->request.part = parts;
    memcpy(parts, from->parts, sizeof to->parts);
}

static void copy_disk_device(const struct vm *vm, struct vm *clone)
{
    uint8_t *image;

    if (vm->blk == NULL)
        return;
    image = clone->blk->image;
    *clone->blk = *vm->blk;
    clone->blk->image = image;
}

static void copy_network(const struct vm *vm, struct vm *clone)
{
    uint8_t mac[sizeof vm->net->mac];

    if (vm->net == NULL)
        return;
    memcpy(mac, clone->net->mac, sizeof mac);
    *clone->net = *vm->net;
    memcpy(clone->net->mac, mac, sizeof mac);
}

/* The source's lock is held; the clone is not listed in vms[] yet. */
static void copy_devices(struct vm *vm, struct vm *clone)
{
    struct plic *plic = &clone->plic;
    struct uart *uart = &clone->uart;
    struct console *console = &clone->console;

    *plic = vm->plic;
    plic->owner = clone;
    uart->chip.state = vm->uart.chip.state;
    memcpy(uart->queue, vm->uart.queue, sizeof uart->queue);
    uart->queue_head = vm->uart.queue_head;
    uart->queue_count = vm->uart.queue_count;
    uart->holding = vm->uart.holding;
    uart->held = vm->uart.held;
    *console = vm->console;
    clone->rtc = vm->rtc;
    clone->rtc.irq.context = plic;
    clone->alarm_at = vm->alarm_at;
    copy_disk_device(vm, clone);
    copy_network(vm, clone);
    for (unsigned i = 0; i < vm->slot_count; i++)
        copy_slot(&vm->slots[i], &clone->slots[i]);
}

void clone_differs(struct vm *clone)
{
    for (unsigned i = 0; i < clone->slot_count; i++)
        if (clone->slots[i].kind == &net_kind)
            virtio_config_changed(&clone->slots[i].virtio);
    if (random_ready())
        genid_renew(&clone->genid, true);
}

/* ---- All of it ---- */

/* A name that no other VM has. */
static void name_clone(const struct vm *vm, struct vm_config *config)
{
    char name[NAME_SIZE];

    for (unsigned n = 1;; n++) {
        int length = fmt_snprint(name, sizeof name, "-%u", n);

        fmt_snprint(config->name, sizeof config->name, "%.*s%s", NAME_SIZE - 1 - length,
                    vm->config.name, name);
        if (vm_named(config->name) == NULL)
            return;
    }
}

static bool begin(struct vm *vm)
{
    struct vm_config config = vm->config;
    struct vm *clone;

    name_clone(vm, &config);
    config.clones = 0;
    config.interrupts = INTERRUPTS_PLIC; /* a VM with interrupt files is not cloned: see life.c */
    clone = make_vm(&config, vm->worker.ops);
    vm->cloning = (struct vm_cloning){
        .clone = clone, .shared = vm->ram_base, .copied = 0, .begun = hyp_time()};
    if (clone == NULL)
        return false;
    vm->replaces = clone->replaces = true;
    if (!make_set_aside(clone, false) || make_stage(clone) != 0) {
        print("hv: vm %s: no memory for its tables: not cloned\n", config.name);
        vm->cloning.failed = true;
    }
    return true;
}

static void finish(struct vm *vm, struct vm *clone)
{
    lock_take(&vm->lock);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        copy_vcpu(vm->vcpus[i], clone->vcpus[i]);
    copy_devices(vm, clone);
    if (vm->clones_caller != NULL) /* the call returns its number in each clone */
        clone->vcpus[vm->clones_caller->id]->regs.x[11] = vm->clones_asked - vm->clones + 1;
    clone->time_delta = vm->time_delta;
    clone->paused_at = vm->paused_at;
    clone->boots = vm->boots;
    lock_drop(&vm->lock);
    clone_differs(clone);
    sched_set_payer(&clone->worker, &clone->vcpus[0]->task);
    vm_hooks.started(clone);
    life_publish(clone, "hv: vm %s: cloned as %s, guest %u, in %lu us\n", vm->config.name,
                 clone->config.name, clone->id + 1,
                 machine_nanoseconds(hyp_time() - vm->cloning.begun) / 1000);
    /* From now on the clone may be ended and its place reused. */
}

static enum vm_clone undo(struct vm *vm)
{
    if (!make_undo(vm->cloning.clone))
        return CLONE_MORE;
    vm->cloning.clone = NULL;
    return CLONE_NOT_MADE;
}

enum vm_clone clone_step(struct vm *vm, bool give_up)
{
    struct vm_cloning *c = &vm->cloning;

    if (c->clone == NULL)
        return begin(vm) ? CLONE_MORE : CLONE_NOT_MADE;
    if (give_up || c->failed)
        return undo(vm);
    if (!share_memory(vm, c) || !copy_disk(vm, c)) {
        if (c->failed)
            print("hv: vm %s: no memory for its tables: not cloned\n", c->clone->config.name);
        return CLONE_MORE;
    }
    finish(vm, c->clone);
    c->clone = NULL;
    return CLONE_MADE;
}
