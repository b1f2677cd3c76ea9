/* Virtual CPUs; see vcpu.h. What is saved and restored: Privileged Architecture 15.2 and 15.3; the
 * order of injection: 15.6. */
#include "vm/vcpu.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/feature.h"
#include "cpu/hyp.h"
#include "mem/page.h"
#include "vm/sched.h"
#include "vm/vm.h"

_Static_assert(sizeof(struct vcpu) <= PAGE_4K, "a vCPU fits in the page it is made of");

struct vcpu *vcpu_create(struct vm *vm, unsigned id)
{
    struct vcpu *v = page_alloc(ORDER_4K);

    if (v == NULL)
        return NULL;
    v->vm = vm;
    v->id = id;
    if (!features.vector)
        return v;
    v->vector.registers = page_alloc(ORDER_16K); /* 32 registers of at most 512 bytes */
    if (v->vector.registers == NULL) {
        page_free(v, ORDER_4K);
        return NULL;
    }
    return v;
}

void vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t argument)
{
    memset(v->x, 0, sizeof v->x);
    memset(v->f, 0, sizeof v->f);
    v->fcsr = 0;
    if (v->vector.registers != NULL)
        memset(v->vector.registers, 0, 32 * features.vlenb);
    v->vector.vstart = v->vector.vl = v->vector.vcsr = 0;
    v->vector.vtype = 1ul << 63; /* vill */
    v->csr = (struct vcpu_csrs){.vsstatus = SSTATUS_UXL_64, .vstimecmp = ~0ul};
    v->pc = pc;
    v->x[10] = v->id;
    v->x[11] = argument;
    v->sstatus = SSTATUS_SPP | SSTATUS_UXL_64 | (uint64_t)STATUS_INITIAL << STATUS_FS_SHIFT;
    if (features.vector)
        v->sstatus |= (uint64_t)STATUS_INITIAL << STATUS_VS_SHIFT;
    v->hstatus = HSTATUS_VSXL64 | HSTATUS_SPV | HSTATUS_SPVP;
    v->soft_timer = ~0ul;
    v->suspend = SUSPEND_NONE;
    v->system_suspend = false;
    __atomic_store_n(&v->inject, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&v->fences, FENCE_VVMA | FENCE_I, __ATOMIC_RELAXED);
    if (v->last_cpu != NULL && v->last_cpu->loaded == v)
        v->last_cpu->loaded = NULL;
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
    c->hvip = csr_read(CSR_HVIP) & HVIP_ALL; /* some emulators show junk in other bits */
}

/* True if the state field at `shift` of sstatus says Dirty; makes it Clean (2). */
static bool take_dirty(struct vcpu *v, unsigned shift)
{
    if ((v->sstatus >> shift & 3) != STATUS_DIRTY)
        return false;
    v->sstatus &= ~(1ul << shift);
    return true;
}

void vcpu_load(struct vcpu *v, struct cpu *cpu)
{
    struct vcpu **last = &cpu->last_of_vm[v->vm->id];

    /* What the hart holds is stale once the vCPU has run elsewhere. */
    if (cpu->loaded == v && v->last_cpu == cpu)
        return;
    load_csrs(v);
    csr_write(CSR_HGATP, v->vm->hgatp);
    fpu_load(v->f);
    if (v->vector.registers != NULL)
        vector_load(&v->vector);
    /* The hart may hold translations that another vCPU of this VM made for itself, or that this one
     * made before it went elsewhere. G-stage ones hold for all of them. */
    if (*last != v || v->last_cpu != cpu)
        __atomic_fetch_or(&v->fences, FENCE_VVMA | FENCE_I, __ATOMIC_RELAXED);
    if (features.vmid_bits < 6)
        hyp_fence_gvma();
    *last = v;
    cpu->loaded = v;
    v->last_cpu = cpu;
}

void vcpu_save(struct vcpu *v)
{
    save_csrs(v);
    if (take_dirty(v, STATUS_FS_SHIFT))
        fpu_save(v->f);
    if (v->vector.registers != NULL && take_dirty(v, STATUS_VS_SHIFT))
        vector_save(&v->vector);
}

void vcpu_sync(struct vcpu *v)
{
    uint32_t fences = __atomic_exchange_n(&v->fences, 0, __ATOMIC_ACQ_REL);
    uint64_t inject = __atomic_exchange_n(&v->inject, 0, __ATOMIC_ACQ_REL);

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
    if (!features.sstc && v->soft_timer != ~0ul &&
        v->soft_timer <= hyp_time() + v->vm->time_delta) {
        v->soft_timer = ~0ul;
        csr_set(CSR_HVIP, HVIP_VSTIP);
    }
    if (sched_is_crowded())
        v->hstatus |= HSTATUS_VTW;
    else
        v->hstatus &= ~HSTATUS_VTW;
}

/* ---- Interrupts and exceptions ---- */

void vcpu_inject(struct vcpu *v, uint64_t cause, uint64_t stval)
{
    uint64_t status = csr_read(CSR_VSSTATUS);

    status &= ~(SSTATUS_SPP | SSTATUS_SPIE);
    status |= (v->sstatus & SSTATUS_SPP) | (status & SSTATUS_SIE ? SSTATUS_SPIE : 0);
    csr_write(CSR_VSSTATUS, status & ~SSTATUS_SIE);
    csr_write(CSR_VSCAUSE, cause);
    csr_write(CSR_VSTVAL, stval);
    csr_write(CSR_VSEPC, v->pc);
    v->pc = csr_read(CSR_VSTVEC) & ~3ul;
    v->sstatus |= SSTATUS_SPP;
    v->hstatus |= HSTATUS_SPVP;
}

static uint64_t pending(const struct vcpu *v)
{
    uint64_t bits = v->csr.hvip & ~HVIP_VSEIP;
    uint64_t now = hyp_time() + v->vm->time_delta;

    bits |= __atomic_load_n(&v->inject, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&v->external, __ATOMIC_ACQUIRE))
        bits |= HVIP_VSEIP;
    if (features.sstc ? v->csr.vstimecmp <= now : v->soft_timer <= now)
        bits |= HVIP_VSTIP;
    return bits;
}

bool vcpu_has_interrupt(const struct vcpu *v)
{
    /* vsie has the guest's numbers, one lower than the bits of hvip. */
    return (pending(v) & v->csr.vsie << 1) != 0;
}

uint64_t vcpu_timer_due(const struct vcpu *v)
{
    uint64_t guest_time = features.sstc ? v->csr.vstimecmp : v->soft_timer;
    uint64_t host_time = guest_time - v->vm->time_delta;

    /* A guest's "never" and what overflows are never. */
    if (guest_time == ~0ul || (v->csr.vsie << 1 & HVIP_VSTIP) == 0 || host_time > ~0ul >> 1)
        return ~0ul;
    return host_time;
}

void vcpu_set_timer(struct vcpu *v, uint64_t when)
{
    csr_clear(CSR_HVIP, HVIP_VSTIP);
    if (features.sstc)
        csr_write(CSR_VSTIMECMP, when);
    else
        v->soft_timer = when;
}

void vcpu_send_ipi(struct vcpu *v)
{
    __atomic_fetch_or(&v->inject, HVIP_VSSIP, __ATOMIC_ACQ_REL);
    sched_wake(v);
}

void vcpu_set_external(struct vcpu *v, bool level)
{
    uint32_t old = __atomic_exchange_n(&v->external, level, __ATOMIC_ACQ_REL);

    if (level && !old)
        sched_wake(v);
}
