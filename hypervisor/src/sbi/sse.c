/*
 * SSE (SBI 17): events that interrupt a vCPU even if sstatus.SIE is 0, and FWFT (SBI 18): features
 * that a vCPU may switch. Only the two events that software injects exist; no hardware of a guest
 * raises others.
 *
 * The VM's lock for events guards all of this. A vCPU's `event_due` says that it has an event to
 * deliver: each change calls refresh(), and the hart delivers the event before it enters the guest.
 */
#include "sbi/sbi.h"

#include "common/string.h"
#include "cpu/feature.h"
#include "sbi/extension.h"
#include "vm/memory.h"

/* ---- Events ---- */

enum { UNUSED, REGISTERED, ENABLED, RUNNING, STATE = 3, PENDING = 1 << 2 };
enum { ONESHOT = 1 };
/* Flags of the interrupted context: bits of vsstatus. The two flags for hstatus stay zero. */
enum { FLAG_SPP = 1 << 0, FLAG_SPIE = 1 << 1, FLAGS = 0x3f };

static struct sse_event *global(const struct vcpu *v)
{
    return &v->vm->vcpus[0]->events[EVENT_GLOBAL];
}

static unsigned state(const struct sse_event *e)
{
    return e->attribute[SSE_STATUS] & STATE;
}

static void set_state(struct sse_event *e, unsigned state)
{
    e->attribute[SSE_STATUS] = (e->attribute[SSE_STATUS] & ~(uint64_t)STATE) | state;
}

static bool is_for(const struct vcpu *v, const struct sse_event *e)
{
    return e == &v->events[EVENT_LOCAL] || e->attribute[SSE_PREFERRED_HART] == v->id;
}

static bool runs_on(const struct vcpu *v, const struct sse_event *e)
{
    return state(e) == RUNNING && (e == &v->events[EVENT_LOCAL] || e->hart == v->id);
}

/* The event to deliver first; NULL if neither is pending. With equal priority it is the one with
 * the lower number, the local event. */
static struct sse_event *first(struct sse_event *local, struct sse_event *other)
{
    if (local == NULL || other == NULL)
        return local != NULL ? local : other;
    return other->attribute[SSE_PRIORITY] < local->attribute[SSE_PRIORITY] ? other : local;
}

static struct sse_event *running(struct vcpu *v)
{
    struct sse_event *local = &v->events[EVENT_LOCAL], *other = global(v);

    return first(runs_on(v, local) ? local : NULL, runs_on(v, other) ? other : NULL);
}

/* The event to deliver to the vCPU now, or NULL. */
static struct sse_event *due(struct vcpu *v)
{
    struct sse_event *e[] = {&v->events[EVENT_LOCAL], global(v)}, *best, *now = running(v);

    for (unsigned i = 0; i < ARRAY_SIZE(e); i++)
        if (!is_for(v, e[i]) || state(e[i]) != ENABLED || !(e[i]->attribute[SSE_STATUS] & PENDING))
            e[i] = NULL;
    best = first(e[0], e[1]);
    if (v->events_masked || best == NULL)
        return NULL;
    if (now == NULL)
        return best;
    return first(best == e[0] ? best : now, best == e[0] ? now : best) == best ? best : NULL;
}

static void refresh(struct vcpu *v)
{
    bool is = due(v) != NULL;

    __atomic_store_n(&v->event_due, is, __ATOMIC_SEQ_CST); /* before sched_wake() reads it */
    if (is)
        sched_wake(&v->task);
}

void sse_deliver(struct vcpu *v)
{
    struct sse_event *e;
    uint64_t status = csr_read(CSR_VSSTATUS);
    LOCK_FOR_BLOCK(&v->vm->event_lock);

    e = due(v);
    __atomic_store_n(&v->event_due, false, __ATOMIC_RELAXED);
    if (e == NULL)
        return;
    e->attribute[SSE_STATUS] &= ~(uint64_t)PENDING;
    set_state(e, RUNNING);
    e->hart = v->id;
    e->attribute[SSE_SEPC] = csr_read(CSR_VSEPC);
    e->attribute[SSE_FLAGS] =
        (status & SSTATUS_SPP ? FLAG_SPP : 0) | (status & SSTATUS_SPIE ? FLAG_SPIE : 0);
    e->attribute[SSE_A6] = v->regs.x[16];
    e->attribute[SSE_A7] = v->regs.x[17];
    status = (status & ~(SSTATUS_SPP | SSTATUS_SPIE)) | (v->regs.sstatus & SSTATUS_SPP) |
             (status & SSTATUS_SIE ? SSTATUS_SPIE : 0);
    csr_write(CSR_VSSTATUS, status & ~SSTATUS_SIE);
    csr_write(CSR_VSEPC, v->regs.pc);
    v->regs.pc = e->attribute[SSE_ENTRY_PC];
    v->regs.x[16] = v->id;
    v->regs.x[17] = e->attribute[SSE_ENTRY_ARG];
    v->regs.sstatus |= SSTATUS_SPP;
    v->regs.hstatus |= HSTATUS_SPVP;
}

/* Returns to the interrupted instruction, like sret, and restores a6 and a7. The other registers
 * keep the handler's values. */
static struct sbi_result complete(struct vcpu *v)
{
    struct sse_event *e = running(v);
    uint64_t status = csr_read(CSR_VSSTATUS), flags;

    if (e == NULL)
        return sbi_value(0);
    flags = e->attribute[SSE_FLAGS];
    v->regs.pc = csr_read(CSR_VSEPC);
    v->regs.sstatus &= ~SSTATUS_SPP;
    v->regs.hstatus &= ~HSTATUS_SPVP;
    if (status & SSTATUS_SPP) {
        v->regs.sstatus |= SSTATUS_SPP;
        v->regs.hstatus |= HSTATUS_SPVP;
    }
    status = (status & ~(SSTATUS_SIE | SSTATUS_SPP | SSTATUS_SPIE)) |
             (status & SSTATUS_SPIE ? SSTATUS_SIE : 0) | (flags & FLAG_SPP ? SSTATUS_SPP : 0) |
             (flags & FLAG_SPIE ? SSTATUS_SPIE : 0);
    csr_write(CSR_VSSTATUS, status);
    csr_write(CSR_VSEPC, e->attribute[SSE_SEPC]);
    v->regs.x[16] = e->attribute[SSE_A6];
    v->regs.x[17] = e->attribute[SSE_A7];
    set_state(e, e->attribute[SSE_CONFIG] & ONESHOT ? REGISTERED : ENABLED);
    refresh(v);
    return (struct sbi_result){(int64_t)v->regs.x[10], v->regs.x[11]};
}

void sse_stop(struct vcpu *v)
{
    struct sse_event *e = global(v);

    vcpu_reset_events(v);
    lock_take(&v->vm->event_lock);
    if (runs_on(v, e))
        set_state(e, REGISTERED);
    lock_drop(&v->vm->event_lock);
}

/* ---- Attributes ---- */

static int64_t check(const struct vcpu *v, const struct sse_event *e, uint64_t attribute,
                     uint64_t value)
{
    bool still = state(e) == UNUSED || state(e) == REGISTERED;

    switch (attribute) {
    case SSE_PRIORITY:
        return value > UINT32_MAX ? SBI_INVALID_PARAM : still ? SBI_SUCCESS : SBI_INVALID_STATE;
    case SSE_CONFIG:
        return value > ONESHOT ? SBI_INVALID_PARAM : still ? SBI_SUCCESS : SBI_INVALID_STATE;
    case SSE_PREFERRED_HART:
        if (e != global(v))
            return SBI_DENIED;
        return vm_vcpu(v->vm, value) == NULL ? SBI_INVALID_PARAM
               : still                       ? SBI_SUCCESS
                                             : SBI_INVALID_STATE;
    case SSE_FLAGS:
        if (value > FLAGS)
            return SBI_INVALID_PARAM;
        /* fallthrough */
    case SSE_SEPC:
    case SSE_A6:
    case SSE_A7:
        return runs_on(v, e) ? SBI_SUCCESS : SBI_INVALID_STATE;
    default:
        return SBI_DENIED;
    }
}

/* Guest memory is accessed without a lock. A write changes all of the attributes or none. */
static int64_t attributes(struct vcpu *v, struct sse_event *e, const uint64_t a[6], bool write)
{
    uint64_t values[SSE_ATTRIBUTES], from = a[1], count = a[2], size = count * sizeof values[0];
    int64_t error = SBI_SUCCESS;

    if (count == 0)
        return SBI_INVALID_PARAM;
    if (from >= SSE_ATTRIBUTES || count > SSE_ATTRIBUTES - from)
        return SBI_BAD_RANGE;
    if (a[3] % sizeof values[0] != 0 || a[4] != 0 ||
        (write && !memory_read(v->vm, a[3], values, size)))
        return SBI_INVALID_ADDRESS;
    lock_take(&v->vm->event_lock);
    for (uint64_t i = 0; write && i < count && error == SBI_SUCCESS; i++)
        error = check(v, e, from + i, values[i]);
    if (!write)
        memcpy(values, &e->attribute[from], size);
    else if (error == SBI_SUCCESS)
        memcpy(&e->attribute[from], values, size);
    lock_drop(&v->vm->event_lock);
    if (!write && !memory_write(v->vm, a[3], values, size))
        return SBI_INVALID_ADDRESS;
    return error;
}

/* ---- Calls; the lock is held ---- */

/* Changes the state from `from` to `to`; an error if it is not in `from`. */
static int64_t move(struct vcpu *v, struct sse_event *e, unsigned from, unsigned to)
{
    if (state(e) != from)
        return SBI_INVALID_STATE;
    set_state(e, to);
    refresh(e == global(v) ? v->vm->vcpus[e->attribute[SSE_PREFERRED_HART]] : v);
    return SBI_SUCCESS;
}

static int64_t enroll(struct vcpu *v, struct sse_event *e, uint64_t pc, uint64_t argument)
{
    if ((pc & 1) != 0)
        return SBI_INVALID_PARAM;
    if (state(e) != UNUSED)
        return SBI_INVALID_STATE;
    e->attribute[SSE_ENTRY_PC] = pc;
    e->attribute[SSE_ENTRY_ARG] = argument;
    return move(v, e, UNUSED, REGISTERED);
}

static int64_t inject(struct vcpu *v, struct sse_event *e, uint64_t hartid)
{
    bool local = e != global(v);
    struct vcpu *to = vm_vcpu(v->vm, local ? hartid : e->attribute[SSE_PREFERRED_HART]);

    if (to == NULL)
        return SBI_INVALID_PARAM;
    if (local)
        e = &to->events[EVENT_LOCAL];
    if (state(e) != ENABLED && state(e) != RUNNING)
        return SBI_INVALID_STATE;
    e->attribute[SSE_STATUS] |= PENDING;
    refresh(to);
    return SBI_SUCCESS;
}

static int64_t mask(struct vcpu *v, bool masked)
{
    if (v->events_masked == masked)
        return masked ? SBI_ALREADY_STOPPED : SBI_ALREADY_STARTED;
    v->events_masked = masked;
    refresh(v);
    return SBI_SUCCESS;
}

static int64_t find_event(struct vcpu *v, uint64_t id, struct sse_event **e)
{
    switch (id) {
    case SSE_LOCAL_SOFTWARE:
        *e = &v->events[EVENT_LOCAL];
        return SBI_SUCCESS;
    case SSE_GLOBAL_SOFTWARE:
        *e = global(v);
        return SBI_SUCCESS;
    case SSE_LOCAL_RAS:
    case SSE_LOCAL_DOUBLE_TRAP:
    case SSE_GLOBAL_RAS:
    case SSE_LOCAL_PMU:
    case SSE_LOCAL_LOW_RAS:
    case SSE_GLOBAL_LOW_RAS:
        return SBI_NOT_SUPPORTED;
    default:
        return (id & SSE_PLATFORM) != 0 ? SBI_NOT_SUPPORTED : SBI_INVALID_PARAM;
    }
}

struct sbi_result sbi_sse(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    struct sse_event *e = NULL;
    int64_t error = SBI_SUCCESS;

    if (function > SSE_MASK)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (function != SSE_COMPLETE && function != SSE_UNMASK && function != SSE_MASK)
        error = find_event(v, a[0], &e);
    if (error != SBI_SUCCESS)
        return sbi_error(error);
    if (function <= SSE_WRITE)
        return sbi_error(attributes(v, e, a, function == SSE_WRITE));

    LOCK_FOR_BLOCK(&v->vm->event_lock);
    switch (function) {
    case SSE_REGISTER:
        return sbi_error(enroll(v, e, a[1], a[2]));
    case SSE_UNREGISTER:
        /* The next owner does not get a pending event of this one. */
        e->attribute[SSE_STATUS] &= ~(state(e) == REGISTERED ? (uint64_t)PENDING : 0);
        return sbi_error(move(v, e, REGISTERED, UNUSED));
    case SSE_ENABLE:
        return sbi_error(move(v, e, REGISTERED, ENABLED));
    case SSE_DISABLE:
        return sbi_error(move(v, e, ENABLED, REGISTERED));
    case SSE_COMPLETE:
        return complete(v);
    case SSE_INJECT:
        return sbi_error(inject(v, e, a[1]));
    default:
        return sbi_error(mask(v, function == SSE_MASK));
    }
}

/* ---- FWFT ---- */

enum { LOCK = 1 };

/* The hart decides about misaligned accesses, and their exceptions are always delegated to the
 * guest: there is nothing to switch. */
struct sbi_result sbi_fwft(struct vcpu *v, uint64_t function, const uint64_t a[6])
{
    uint64_t feature = a[0];

    if (function > FWFT_GET)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (feature > FWFT_POINTER_MASKING) /* reserved, or for the platform */
        return sbi_error(SBI_DENIED);
    if (feature != FWFT_AD_UPDATING || !features.adue)
        return sbi_error(SBI_NOT_SUPPORTED);
    if (function == FWFT_GET)
        return sbi_value(v->ad_updating);
    if (a[1] > 1 || a[2] > LOCK)
        return sbi_error(SBI_INVALID_PARAM);
    if (v->ad_locked)
        return sbi_error(SBI_DENIED_LOCKED);
    v->ad_locked = (a[2] & LOCK) != 0;
    vcpu_set_ad_updating(v, a[1] != 0);
    return sbi_value(0);
}
