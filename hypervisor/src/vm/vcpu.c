/* Virtual CPUs; see vcpu.h. Saved and restored registers: Privileged Architecture 15.2 and 15.3;
 * order of injection: 15.6. */
#include "vm/vcpu.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "cpu/trigger.h"
#include "mem/page.h"

enum { VMID_BITS = 6 }; /* for VMS_MAX guests and the number 0 */

_Static_assert(sizeof(struct vcpu) <= PAGE_4K, "a vCPU fits in the page it is made of");

/* The guest state that a hart's registers and TLB hold. Only that hart writes it. */
struct held {
    struct vcpu *vcpu; /* whose CSRs are in the hart, running or not, or NULL. Other harts may read
                        * it */
    uint64_t version;  /* of the vCPU, when its CSRs were loaded */
    bool saved;        /* the CSRs are in memory too */
    struct vcpu *last_of_vm[VMS_MAX]; /* whose VS-stage entries the TLB may hold */
};

static struct held holds[CPUS_MAX];

static void run(struct task *task)
{
    vm_hooks.run(vcpu_of(task));
}

static bool is_ready(struct task *task, uint64_t *wake_at)
{
    const struct vcpu *v = vcpu_of(task);

    *wake_at = vcpu_timer_due(v);
    return vcpu_has_interrupt(v);
}

static const struct task_ops ops = {.run = run, .is_ready = is_ready, .waits_in_guest = true};

struct vcpu *vcpu_create(struct vm *vm, unsigned id)
{
    struct vcpu *v = page_alloc(&vm->account, ORDER_4K);

    if (v == NULL)
        return NULL;
    v->vm = vm;
    v->id = id;
    sched_init_task(&v->task, &ops, vm, vm->config.weight, vm->config.harts);
    sched_hold(&v->task);
    if (!features.vector)
        return v;
    v->vector.registers =
        page_alloc(&vm->account, ORDER_16K); /* 32 registers of at most 512 bytes */
    if (v->vector.registers == NULL) {
        page_free(&vm->account, v, ORDER_4K);
        return NULL;
    }
    return v;
}

void vcpu_changed(struct vcpu *v)
{
    v->version++;
}

/* Sets the state of a hart at its start. Pending interrupts stay. */
static void begin_at(struct vcpu *v, uint64_t pc, uint64_t argument)
{
    struct guest_registers *r = &v->regs;

    memset(r->x, 0, sizeof r->x);
    memset(v->f, 0, sizeof v->f);
    if (v->vector.registers != NULL)
        memset(v->vector.registers, 0, 32 * features.vlenb);
    v->vector.vstart = v->vector.vl = v->vector.vcsr = 0;
    v->vector.vtype = 1ul << 63; /* vill */
    v->csr = (struct vcpu_csrs){
        .vsstatus = SSTATUS_UXL_64, .hvip = v->csr.hvip, .vstimecmp = v->csr.vstimecmp};
    r->pc = pc;
    r->x[10] = v->id;
    r->x[11] = argument;
    r->sstatus = SSTATUS_SPP | SSTATUS_UXL_64 | (uint64_t)STATUS_INITIAL << STATUS_FS_SHIFT;
    if (features.vector)
        r->sstatus |= (uint64_t)STATUS_INITIAL << STATUS_VS_SHIFT;
    r->hstatus = HSTATUS_VSXL64 | HSTATUS_SPV | HSTATUS_SPVP |
                 (uint64_t)v->irq_file.number << HSTATUS_VGEIN_SHIFT;
    v->suspend = SUSPEND_NONE;
    __atomic_fetch_or(&v->fences, FENCE_VVMA | FENCE_I, __ATOMIC_RELAXED);
    vcpu_changed(v);
}

static void reset_event(struct sse_event *e, unsigned hart)
{
    *e = (struct sse_event){
        .attribute = {[SSE_STATUS] = SSE_INJECTABLE, [SSE_PREFERRED_HART] = hart}};
}

void vcpu_reset_events(struct vcpu *v)
{
    LOCK_FOR_BLOCK(&v->vm->event_lock);

    reset_event(&v->events[EVENT_LOCAL], v->id);
    v->events_masked = true;
    __atomic_store_n(&v->event_due, false, __ATOMIC_RELAXED);
}

void vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t argument)
{
    begin_at(v, pc, argument);
    v->csr.hvip = 0;
    v->csr.vstimecmp = v->soft_timer = ~0ul;
    __atomic_store_n(&v->inject, 0, __ATOMIC_RELAXED);
    v->ad_updating = v->ad_locked = false;
    vcpu_reset_events(v);
}

void vcpu_wake_up(struct vcpu *v)
{
    if (v->suspend == SUSPEND_NON_RETENTIVE)
        begin_at(v, v->resume_pc, v->resume_arg);
    v->suspend = SUSPEND_NONE;
}

void vcpu_forget_boot(struct vcpu *v)
{
    memset(v->fw_counters, 0, sizeof v->fw_counters);
    v->steal = ~0ul;
    v->steal_sequence = 0;
    v->task.waited = 0;
    v->irq_file.stale = true;
    v->irq_file.select = 0;
    vcpu_reset_events(v);
    reset_event(&v->events[EVENT_GLOBAL], 0); /* no vCPU runs */
}

void vcpu_destroy(struct vcpu *v)
{
    struct page_account *account = &v->vm->account;

    irq_file_give_back(&v->irq_file);
    page_free(account, v->vector.registers, ORDER_16K);
    page_free(account, v, ORDER_4K);
}

/* ---- On and off a hart ---- */

static void load_csrs(const struct vcpu *v)
{
    const struct vcpu_csrs *c = &v->csr;

    csr_write(CSR_VSSTATUS, c->vsstatus);
    csr_write(CSR_VSIE, c->vsie);
    csr_write(CSR_VSTVEC, c->vstvec);
    csr_write(CSR_VSSCRATCH, c->vsscratch);
    csr_write(CSR_VSEPC, c->vsepc);
    csr_write(CSR_VSCAUSE, c->vscause);
    csr_write(CSR_VSTVAL, c->vstval);
    csr_write(CSR_VSATP, c->vsatp);
    csr_write(CSR_SCOUNTEREN, c->scounteren);
    if (features.has_henvcfg)
        csr_write(CSR_SENVCFG, c->senvcfg);
    if (features.has_hstateen)
        csr_write(CSR_SSTATEEN0, c->sstateen0);
    csr_write(CSR_HTIMEDELTA, v->vm->time_delta);
    if (features.adue)
        csr_write(CSR_HENVCFG, features.henvcfg | (v->ad_updating ? HENVCFG_ADUE : 0));
    if (features.sstc)
        csr_write(CSR_VSTIMECMP, c->vstimecmp);
    csr_clear(CSR_HVIP, HVIP_ALL & ~c->hvip);
    csr_set(CSR_HVIP, c->hvip);
}

static void save_csrs(struct vcpu *v)
{
    struct vcpu_csrs *c = &v->csr;

    c->vsstatus = csr_read(CSR_VSSTATUS);
    c->vsie = csr_read(CSR_VSIE);
    c->vstvec = csr_read(CSR_VSTVEC);
    c->vsscratch = csr_read(CSR_VSSCRATCH);
    c->vsepc = csr_read(CSR_VSEPC);
    c->vscause = csr_read(CSR_VSCAUSE);
    c->vstval = csr_read(CSR_VSTVAL);
    c->vsatp = csr_read(CSR_VSATP);
    c->scounteren = csr_read(CSR_SCOUNTEREN);
    if (features.has_henvcfg)
        c->senvcfg = csr_read(CSR_SENVCFG);
    if (features.has_hstateen)
        c->sstateen0 = csr_read(CSR_SSTATEEN0);
    if (features.sstc)
        c->vstimecmp = csr_read(CSR_VSTIMECMP);
    c->hvip = csr_read(CSR_HVIP) & HVIP_ALL; /* some emulators return garbage in other bits */
}

/* True if the state field at `shift` of sstatus says Dirty; makes it Clean (2). */
static bool take_dirty(struct vcpu *v, unsigned shift)
{
    if ((v->regs.sstatus >> shift & 3) != STATUS_DIRTY)
        return false;
    v->regs.sstatus &= ~(1ul << shift);
    return true;
}

void vcpu_load(struct vcpu *v)
{
    struct cpu *cpu = cpu_self();
    struct held *held = &holds[cpu->index];
    struct vcpu **last = &held->last_of_vm[v->vm->id];
    bool same_hart = v->task.last_cpu == cpu;

    irq_file_load(&v->irq_file, v->regs.hstatus);
    /* The hart's CSRs are out of date if the vCPU has run on another hart, or was changed. */
    held->saved = false;
    if (held->vcpu == v && same_hart && held->version == v->version)
        return;
    load_csrs(v);
    cpu_delegate_breakpoints(!v->vm->debugged);
    trigger_load(v->vm->debugged);
    csr_write(CSR_HGATP, v->vm->hgatp);
    fpu_load(v->f);
    if (v->vector.registers != NULL)
        vector_load(&v->vector);
    /* The TLB may hold entries of another vCPU of this VM, or old ones of this vCPU, which has run
     * on another hart since. G-stage entries are valid for all vCPUs unless the VM replaces
     * pages. */
    if (*last != v || !same_hart)
        __atomic_fetch_or(&v->fences, FENCE_VVMA | FENCE_I | (v->vm->replaces ? FENCE_GVMA : 0),
                          __ATOMIC_RELAXED);
    if (features.vmid_bits < VMID_BITS) { /* two VMs may have the same VMID, in both stages */
        hyp_fence_gvma();
        hyp_fence_vvma();
    }
    *last = v;
    __atomic_store_n(&held->vcpu, v, __ATOMIC_RELAXED);
    held->version = v->version;
}

void vcpu_save(struct vcpu *v)
{
    save_csrs(v);
    irq_file_save(&v->irq_file);
    if (take_dirty(v, STATUS_FS_SHIFT))
        fpu_save(v->f);
    if (v->vector.registers != NULL && take_dirty(v, STATUS_VS_SHIFT))
        vector_save(&v->vector);
    holds[cpu_self()->index].saved = true;
}

void vcpu_unload(void)
{
    struct held *held = &holds[cpu_self()->index];

    if (held->vcpu == NULL)
        return;
    csr_write(CSR_VSIE, 0); /* guest interrupts would end a wfi in HS-mode */
    csr_write(CSR_HGATP, 0);
    __atomic_store_n(&held->vcpu, NULL, __ATOMIC_RELEASE); /* pairs with vcpu_none_is_held() */
}

void vcpu_unload_stopping(void)
{
    const struct held *held = &holds[cpu_self()->index];

    /* A vCPU whose CSRs are also in memory does not run. If its VM is stopping, the VM waits until
     * the hart releases it. */
    if (held->vcpu != NULL && held->saved &&
        __atomic_load_n(&held->vcpu->vm->state, __ATOMIC_ACQUIRE) == VM_STOPPING)
        vcpu_unload();
}

bool vcpu_none_is_held(const struct vm *vm)
{
    bool none = true;

    vcpu_unload_stopping(); /* this hart runs the VM's worker */
    for (unsigned i = 0; i < cpu_count; i++) {
        const struct vcpu *v = __atomic_load_n(&holds[i].vcpu, __ATOMIC_ACQUIRE);
        bool held = false;

        for (unsigned n = 0; n < vm->vcpu_count; n++)
            held |= vm->vcpus[n] == v;
        if (!held)
            continue;
        none = false;
        cpu_kick(&cpus[i]);
    }
    return none;
}

bool vcpu_is_loaded(const struct vcpu *v)
{
    const struct held *held = &holds[cpu_self()->index];

    return held->vcpu == v && !held->saved;
}

/* Host time at which the guest's clock will show `guest_time`; ~0 if that overflows. */
static uint64_t host_time(const struct vcpu *v, uint64_t guest_time)
{
    uint64_t now = hyp_time(), guest_now = now + v->vm->time_delta, when;

    if (guest_time <= guest_now)
        return now;
    return __builtin_add_overflow(now, guest_time - guest_now, &when) ? ~0ul : when;
}

/* Without Sstc, the hart's timer replaces the guest's own. */
static void sync_soft_timer(struct vcpu *v)
{
    uint64_t due = v->soft_timer == ~0ul ? ~0ul : host_time(v, v->soft_timer);

    if (v->soft_timer <= hyp_time() + v->vm->time_delta) {
        v->soft_timer = due = ~0ul;
        csr_set(CSR_HVIP, HVIP_VSTIP);
    }
    if (v->task.deadline != due)
        sched_set_deadline(&v->task, due);
}

void vcpu_sync(struct vcpu *v)
{
    uint32_t fences = __atomic_exchange_n(&v->fences, 0, __ATOMIC_ACQ_REL);
    uint64_t inject = __atomic_exchange_n(&v->inject, 0, __ATOMIC_ACQ_REL);

    if (fences & FENCE_GVMA)
        hyp_fence_gvma();
    if (fences & FENCE_VVMA)
        hyp_fence_vvma();
    if (fences & FENCE_I)
        hyp_fence_i();
    if (inject != 0)
        csr_set(CSR_HVIP, inject);
    if (__atomic_load_n(&v->external, __ATOMIC_ACQUIRE))
        csr_set(CSR_HVIP, HVIP_VSEIP);
    else
        csr_clear(CSR_HVIP, HVIP_VSEIP);
    if (!features.sstc)
        sync_soft_timer(v);
    if (sched_is_crowded())
        v->regs.hstatus |= HSTATUS_VTW;
    else
        v->regs.hstatus &= ~HSTATUS_VTW;
}

/* As in sbi/remote.c: a vCPU that is just being scheduled is seen on its hart, or sees its
 * `fences`. */
void vcpu_fence_stage(struct vm *vm)
{
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct vcpu *v = vm->vcpus[i];
        struct cpu *cpu;

        __atomic_fetch_or(&v->fences, FENCE_GVMA, __ATOMIC_SEQ_CST);
        cpu = __atomic_load_n(&v->task.cpu, __ATOMIC_SEQ_CST);
        if (cpu != NULL && cpu != cpu_self())
            firmware_remote_fence_gvma(1, cpu->hartid);
    }
    hyp_fence_gvma();
}

/* ---- Interrupts and exceptions ---- */

void vcpu_inject(struct vcpu *v, uint64_t cause, uint64_t stval)
{
    uint64_t status = csr_read(CSR_VSSTATUS);

    status &= ~(SSTATUS_SPP | SSTATUS_SPIE);
    status |= (v->regs.sstatus & SSTATUS_SPP) | (status & SSTATUS_SIE ? SSTATUS_SPIE : 0);
    csr_write(CSR_VSSTATUS, status & ~SSTATUS_SIE);
    csr_write(CSR_VSCAUSE, cause);
    csr_write(CSR_VSTVAL, stval);
    csr_write(CSR_VSEPC, v->regs.pc);
    v->regs.pc = csr_read(CSR_VSTVEC) & ~3ul;
    v->regs.sstatus |= SSTATUS_SPP;
    v->regs.hstatus |= HSTATUS_SPVP;
}

static uint64_t pending(const struct vcpu *v)
{
    uint64_t bits = v->csr.hvip & ~HVIP_VSEIP;
    uint64_t now = hyp_time() + v->vm->time_delta;

    bits |= __atomic_load_n(&v->inject, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&v->external, __ATOMIC_ACQUIRE) ||
        __atomic_load_n(&v->irq_file.pending, __ATOMIC_ACQUIRE))
        bits |= HVIP_VSEIP;
    if (features.sstc ? v->csr.vstimecmp <= now : v->soft_timer <= now)
        bits |= HVIP_VSTIP;
    return bits;
}

bool vcpu_has_interrupt(const struct vcpu *v)
{
    /* The bits of vsie have the guest's interrupt numbers, one lower than those in hvip. */
    return (pending(v) & v->csr.vsie << 1) != 0 || __atomic_load_n(&v->event_due, __ATOMIC_SEQ_CST);
}

uint64_t vcpu_timer_due(const struct vcpu *v)
{
    uint64_t guest_time = features.sstc ? v->csr.vstimecmp : v->soft_timer;

    if (guest_time == ~0ul || (v->csr.vsie << 1 & HVIP_VSTIP) == 0)
        return ~0ul;
    return host_time(v, guest_time);
}

void vcpu_set_timer(struct vcpu *v, uint64_t when)
{
    csr_clear(CSR_HVIP, HVIP_VSTIP);
    if (features.sstc)
        csr_write(CSR_VSTIMECMP, when);
    else
        v->soft_timer = when; /* vcpu_sync() sets the hart's timer */
}

void vcpu_set_ad_updating(struct vcpu *v, bool on)
{
    v->ad_updating = on;
    csr_write(CSR_HENVCFG, features.henvcfg | (on ? HENVCFG_ADUE : 0));
    hyp_fence_vvma(); /* TLB entries may have the old setting */
}

void vcpu_send_ipi(struct vcpu *v)
{
    __atomic_fetch_or(&v->inject, HVIP_VSSIP, __ATOMIC_ACQ_REL);
    sched_wake(&v->task);
}

void vcpu_set_external(struct vcpu *v, bool level)
{
    uint32_t old = __atomic_exchange_n(&v->external, level, __ATOMIC_ACQ_REL);

    if (level && !old)
        sched_wake(&v->task);
}
