/* Loads saved guests; see load.h. */
#include "vm/load.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "vm/clone.h"
#include "vm/life.h"
#include "vm/make.h"
#include "vm/memory.h"
#include "vm/steps.h"
#include "vm/store.h"
#include "vm/vcpu.h"

enum { LOOKS_PER_SECOND = 10000 };

/* The current load. The steps own it while they are active, otherwise the caller of
 * store_open(). */
struct load {
    char name[NAME_SIZE];
    uint64_t save, record; /* numbers of the save, and of the record being read */
    struct saved_head head;
    struct vm *vm;     /* the loaded VM; not listed in vms[] yet */
    bool devices;      /* read: the devices, */
    uint32_t vcpus;    /* a bit for each vCPU, */
    uint64_t on_disk;  /* and bytes of the disk */
    const char *wrong; /* why the load fails; NULL: no error */
};

static struct load job;
static struct steps steps;

/* Reads the record of a head and makes the guest that it describes, not listed in vms[] yet. */
static const char *load_head(void)
{
    static struct vm_config config;
    const char *wrong;
    struct vm *vm;

    memcpy(&job.head, store_payload(), sizeof job.head);
    wrong = saved_read_head(&job.head, &config);
    if (wrong != NULL)
        return wrong;
    if (job.head.timebase != machine.timebase || job.head.vlenb != features.vlenb ||
        strcmp(job.head.isa, features.isa) != 0)
        return "it was saved on harts with another ISA, timebase or vector length";
    if (job.name[0] != '\0')
        string_copy(config.name, job.name, sizeof config.name);
    cpu_serve_interrupts(); /* before and after a long step */
    job.vm = vm = life_make(&config);
    cpu_serve_interrupts();
    if (vm == NULL)
        return "the guest cannot be made";
    if (vm->ram_base != job.head.ram_base || (vm->blk != NULL && vm->blk->image == NULL) ||
        job.head.disk_size != (vm->blk != NULL ? blk_image_size(vm->blk) : 0))
        return "its kernel or its disk in the archive is not the one that it was saved with";
    if (!make_set_aside(vm, true) || make_stage(vm) != 0)
        return "not enough memory";
    return NULL;
}

static bool load_slots(struct vm *vm, const struct saved_devices *d)
{
    for (unsigned i = 0; i < SLOTS_MAX; i++) {
        struct slot *slot = &vm->slots[i];

        if (d->slot[i].id != (i < vm->slot_count ? slot->kind->virtio.id : 0))
            return false;
        if (i >= vm->slot_count)
            continue;
        if (!virtio_load(&slot->virtio, &d->slot[i].state))
            return false;
        irq_set(&slot->irq, slot->virtio.state.interrupt != 0);
        slot->kicked = true; /* the device looks for requests */
    }
    return true;
}

static const char *load_devices(const struct saved_devices *d)
{
    struct vm *vm = job.vm;
    struct uart *uart = &vm->uart;

    if (d->uart_count > UART_QUEUE || d->console_count > CONSOLE_TYPED || !load_slots(vm, d) ||
        !uart16550_load(&uart->chip, &d->uart))
        return "the saved state of its devices is invalid";
    memcpy(uart->queue, d->uart_queue, sizeof uart->queue);
    uart->queue_count = d->uart_count;
    uart->holding = d->uart_holds != 0;
    uart->held = (uint8_t)d->uart_held;
    memcpy(vm->console.typed, d->console_queue, sizeof vm->console.typed);
    vm->console.count = d->console_count;
    rtc_load(&vm->rtc, &d->rtc);
    plic_load(&vm->plic, &d->plic);
    job.devices = true;
    return NULL;
}

static const char *load_switches(struct vcpu *v, const struct saved_vcpu *s)
{
    memcpy(v->events, s->event, sizeof v->events);
    if (vm_vcpu(job.vm, v->events[EVENT_GLOBAL].attribute[SSE_PREFERRED_HART]) == NULL)
        return "a saved SSE event is for a vCPU that does not exist";
    if ((s->switches & SAVED_AD_UPDATING) != 0 && !features.adue)
        return "its vCPUs set A and D bits (Svadu), which this machine does not offer to guests";
    v->events_masked = (s->switches & SAVED_EVENTS_MASKED) != 0;
    v->event_due = (s->switches & SAVED_EVENT_DUE) != 0;
    v->ad_updating = (s->switches & SAVED_AD_UPDATING) != 0;
    v->ad_locked = (s->switches & SAVED_AD_LOCKED) != 0;
    return NULL;
}

static const char *load_counters(struct vcpu *v, const struct saved_vcpu *s)
{
    for (unsigned i = 0; i < FW_COUNTERS; i++) {
        const struct saved_counter *c = &s->counter[i];

        if (c->event >= FW_EVENTS)
            return "a saved firmware counter counts an unknown event";
        v->fw_counters[i] = (struct fw_counter){.used = c->used != 0,
                                                .running = c->running != 0,
                                                .event = c->event,
                                                .value = c->value,
                                                .started_at = c->started_at};
    }
    memcpy(v->fw_events, s->events, sizeof v->fw_events);
    return NULL;
}

/* Loads a vCPU. Whatever the record says, it runs in VS-mode or VU-mode and has no more rights than
 * a guest may have. */
static const char *load_vcpu(uint64_t number, const struct saved_vcpu *s)
{
    struct vcpu *v = vm_vcpu(job.vm, number);
    const char *wrong;
    const uint64_t status = SSTATUS_SPP | SSTATUS_FS | (features.vector ? SSTATUS_VS : 0);

    if (v == NULL || s->suspend > SUSPEND_NON_RETENTIVE || s->task > TASK_BLOCKED ||
        s->task == TASK_RUNNING)
        return "the saved state of a vCPU is invalid";
    memcpy(v->regs.x, s->x, sizeof v->regs.x);
    v->regs.pc = s->pc;
    v->regs.sstatus = (s->sstatus & status) | SSTATUS_UXL_64;
    v->regs.hstatus = HSTATUS_VSXL64 | HSTATUS_SPV | (s->hstatus & HSTATUS_SPVP);
    memcpy(v->f, s->f, sizeof v->f);
    memcpy(&v->csr, s->csr, sizeof v->csr);
    v->csr.hvip &= HVIP_ALL;
    v->vector.vstart = s->vstart;
    v->vector.vl = s->vl;
    v->vector.vtype = s->vtype;
    v->vector.vcsr = s->vcsr;
    v->suspend = s->suspend;
    v->resume_pc = s->resume_pc;
    v->resume_arg = s->resume_arg;
    v->soft_timer = s->soft_timer;
    v->steal = s->steal;
    v->steal_sequence = s->steal_sequence;
    v->inject = s->inject & HVIP_VSSIP;
    v->task.waited = s->waited;
    v->task.state = s->task; /* held: its wait is checked at its release */
    vcpu_changed(v);
    job.vcpus |= 1u << number;
    wrong = load_switches(v, s);
    return wrong != NULL ? wrong : load_counters(v, s);
}

static const char *load_bytes(enum saved_kind kind, uint64_t at, uint32_t size)
{
    struct vm *vm = job.vm;
    struct vcpu *v = vm_vcpu(vm, at);

    switch (kind) {
    case SAVED_VECTOR:
        if (v == NULL || v->vector.registers == NULL || size != SAVED_VECTORS * features.vlenb)
            return "the saved vector registers have another size";
        memcpy(v->vector.registers, store_payload(), size);
        return NULL;
    case SAVED_RAM:
        if (!vm_contains(vm, at, size))
            return "saved memory lies outside the guest's RAM";
        return memory_load(vm, at, store_payload(), size, size) ? NULL : "not enough memory";
    case SAVED_DISK:
        if (vm->blk == NULL || at != job.on_disk || size > job.head.disk_size - at)
            return "its saved disk has another size";
        memcpy(vm->blk->image + at, store_payload(), size);
        job.on_disk += size;
        return NULL;
    default:
        return "a record is of an unknown kind";
    }
}

static const char *load_record(void)
{
    const char *wrong = saved_check(store_record(), job.save, job.record);
    struct saved_record r;

    if (wrong != NULL)
        return wrong;
    cpu_serve_interrupts(); /* the checksum took long */
    memcpy(&r, store_record(), sizeof r);
    job.save = r.save;
    if (job.record == 0)
        return r.size == sizeof(struct saved_head) ? load_head() : "its description is damaged";
    if (r.kind == SAVED_DEVICES && r.size == sizeof(struct saved_devices))
        return load_devices(store_payload());
    if (r.kind == SAVED_VCPU && r.size == sizeof(struct saved_vcpu))
        return load_vcpu(r.at, store_payload());
    return load_bytes(r.kind, r.at, r.size);
}

/* Ends the load. Another load or save may begin before the result is printed, so that a user who
 * has read it can start the next. */
static void finish(void)
{
    steps_end(&steps);
    store_close();
}

static const char *loaded(void)
{
    struct vm *vm = job.vm;
    const unsigned disk = store_number();
    const uint64_t took = store_microseconds();
    uint64_t now;

    if (!job.devices || job.on_disk != job.head.disk_size ||
        count_bits(job.vcpus) != vm->vcpu_count)
        return "a record is missing";
    if (vm->blk != NULL)
        vm->blk->filled = job.on_disk;
    clone_differs(vm);
    now = hyp_time();
    vm->time_delta = job.head.time - now;
    vm->paused_at = now;
    vm->boots = 1;
    sched_set_payer(&vm->worker, &vm->vcpus[0]->task);
    vm_hooks.started(vm);
    job.vm = NULL;
    finish();
    life_publish(vm, "hv: vm %s: loaded from disk %u, guest %u, in %lu us\n", vm->config.name, disk,
                 vm->id + 1, took); /* from now on it may be ended and its place reused */
    vm_arrived();
    return NULL;
}

/* Takes the record that has been read, and begins to read the next one. Returns what is wrong, or
 * NULL. */
static const char *load_piece(void)
{
    const char *wrong = load_record();

    if (wrong != NULL)
        return wrong;
    job.record++;
    return job.record < job.head.records ? store_begin(job.record, false) : loaded();
}

static void undo(void)
{
    const char *wrong = job.wrong;
    const unsigned disk = store_number();

    if (job.vm != NULL && !make_undo(job.vm))
        return;
    job.vm = NULL;
    finish();
    print("hv: not loaded from disk %u: %s\n", disk, wrong);
    vm_arrived();
}

static void load_step(void)
{
    const char *wrong;
    int state;

    if (job.wrong != NULL) {
        undo();
        return;
    }
    state = store_state();
    if (state == DISK_BUSY) {
        steps_wait(&steps, LOOKS_PER_SECOND);
        return;
    }
    wrong = state == DISK_OK ? load_piece() : "a disk request failed";
    if (wrong != NULL) /* else the next load may have begun */
        job.wrong = wrong;
}

bool load_begin(unsigned disk, const char *name)
{
    const char *wrong;

    if (strlen(name) >= NAME_SIZE || strchr(name, '"') != NULL) {
        print("hv: a name has 1 to %d characters and no quotation mark\n", NAME_SIZE - 1);
        return false;
    }
    if (!store_open(disk))
        return false;
    string_copy(job.name, name, sizeof job.name);
    job.save = 0;
    job.record = job.on_disk = 0;
    job.vcpus = 0;
    job.devices = false;
    job.wrong = NULL;
    wrong = store_begin(0, false);
    if (wrong != NULL) {
        print("hv: not loaded from disk %u: %s\n", disk, wrong);
        store_close();
        return false;
    }
    vm_await();
    steps_begin(&steps, load_step);
    return true;
}
