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

/* In steps between which interrupts are served: a block of 2 MiB, or as few pages. */
static int share_memory(struct vm *vm, struct vm *clone)
{
    const gpa_t end = vm->ram_base + vm->ram_size;
    struct gstage_leaf leaf;
    int result = GSTAGE_OK;

    for (gpa_t at = vm->ram_base; result == GSTAGE_OK; cpu_serve_interrupts()) {
        LOCK_FOR_BLOCK(&vm->stage_lock);

        if (!gstage_next(&vm->stage, at, end, &leaf))
            return GSTAGE_OK;
        if (leaf.level > GSTAGE_2M) {
            result = gstage_split(&vm->stage, leaf.gpa);
            continue;
        }
        result = gstage_share(&vm->stage, &clone->stage, &leaf);
        at = leaf.gpa + gstage_size(leaf.level);
    }
    return result;
}

static void copy_disk(const struct vm *vm, struct vm *clone)
{
    const struct blk *from = vm->blk;
    uint8_t *image;
    uint64_t size;

    if (from == NULL)
        return;
    image = clone->blk->image;
    size = from->config.capacity * VIRTIO_BLK_SECTOR;
    for (uint64_t done = 0; done < size; done += DISK_STEP) {
        memcpy(image + done, from->image + done, min64(DISK_STEP, size - done));
        cpu_serve_interrupts();
    }
    *clone->blk = *from;
    clone->blk->image = image;
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
    to->inject = from->inject;
    to->external = from->external;
    to->fences = FENCE_VVMA | FENCE_I | FENCE_GVMA;
    memcpy(to->fw_counters, from->fw_counters, sizeof to->fw_counters);
    memcpy(to->fw_events, from->fw_events, sizeof to->fw_events);
    to->task.waited = from->task.waited;
    /* It is held, and in no queue; what it waits for is looked at when it is released. */
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

static void copy_network(const struct vm *vm, struct vm *clone)
{
    uint8_t mac[sizeof vm->net->mac];

    if (vm->net == NULL)
        return;
    memcpy(mac, clone->net->mac, sizeof mac);
    *clone->net = *vm->net;
    memcpy(clone->net->mac, mac, sizeof mac);
}

/* The source's lock is held; the clone is not one of the VMs yet. */
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
    copy_network(vm, clone);
    for (unsigned i = 0; i < vm->slot_count; i++)
        copy_slot(&vm->slots[i], &clone->slots[i]);
}

/* What tells it from its source; the guest is told. */
static void become_another(struct vm *clone)
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
        bool taken = false;
        int length = fmt_snprint(name, sizeof name, "-%u", n);

        fmt_snprint(config->name, sizeof config->name, "%.*s%s", NAME_SIZE - 1 - length,
                    vm->config.name, name);
        for (unsigned i = 0; i < vm_count; i++)
            taken |= strcmp(vms[i]->config.name, config->name) == 0;
        if (!taken)
            return;
    }
}

bool clone_make(struct vm *vm)
{
    uint64_t begun = hyp_time();
    struct vm_config config = vm->config;
    struct vm *clone;

    name_clone(vm, &config);
    clone = make_vm(&config, false, vm->worker.ops);
    if (clone == NULL)
        return false;
    vm->replaces = clone->replaces = true;
    if (make_stage(clone) != 0 || share_memory(vm, clone) != GSTAGE_OK) {
        print("hv: vm %s: no memory for its tables: not cloned\n", config.name);
        make_undo(clone);
        return false;
    }
    copy_disk(vm, clone);
    lock_take(&vm->lock);
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        copy_vcpu(vm->vcpus[i], clone->vcpus[i]);
    copy_devices(vm, clone);
    clone->time_delta = vm->time_delta;
    clone->paused_at = vm->paused_at;
    clone->boots = vm->boots;
    lock_drop(&vm->lock);
    become_another(clone);
    make_publish(clone, VM_PAUSED);
    sched_set_payer(&clone->worker, &clone->vcpus[0]->task);
    (void)life_resume(clone, LIFE_ALL); /* unless it was ended already */
    print("hv: vm %s: cloned as %s, guest %u, in %lu us\n", vm->config.name, config.name,
          clone->id + 1, machine_nanoseconds(hyp_time() - begun) / 1000);
    return true;
}
