/* Stopping and letting go; see debug.h. What an exit to the debugger means: exit.c. */
#include "watch/gdb/debug.h"

#include <errno.h>
#include <string.h>

#include "host/kvm_debug.h"
#include "vm/vm.h"

_Static_assert((int)CPUS_MAX <= (int)GDB_CPUS_MAX,
               "gdb's table of actions has a place for each vCPU");

void debug_init(struct debug *debug, struct vm *vm, bool waits, void (*notify)(void *),
                void *notify_to)
{
    uint32_t flags = kvm_guest_debug_flags(vm->fd);

    debug->vm = vm;
    debug->step_flags = flags & KVM_GUESTDBG_BLOCKIRQ;
    debug->notify = notify;
    debug->notify_to = notify_to;
    lock_init(&debug->lock);
    condition_init(&debug->changed);
    debug->phase = waits ? DEBUG_STOPPING : DEBUG_FREE;
    debug->wanted = waits;
    for (unsigned i = 0; waits && i < vm->vcpu_count; i++)
        vm->vcpus[i].requests |= VCPU_PAUSE;
    debug->enabled = true;
}

static bool is_stopping_for_good(const struct vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE) & VCPU_STOP;
}

static bool may_run_locked(const struct vcpu *vcpu)
{
    const struct debug *d = &vcpu->vm->debug;

    switch (d->phase) {
    case DEBUG_FREE:
        return true;
    case DEBUG_RUNNING:
        return vcpu->debug.action != GDB_STAY;
    case DEBUG_ALONE:
        return d->alone == vcpu;
    default:
        return false;
    }
}

static void gather_locked(struct debug *d)
{
    struct vm *vm = d->vm;

    d->phase = DEBUG_STOPPING;
    for (unsigned i = 0; i < vm->started; i++)
        if (!vm->vcpus[i].debug.parked)
            vcpu_kick(&vm->vcpus[i], VCPU_PAUSE);
}

static bool all_parked_locked(const struct debug *d)
{
    unsigned parked = d->ended;

    for (unsigned i = 0; i < d->vm->vcpu_count; i++)
        parked += d->vm->vcpus[i].debug.parked;
    return parked >= d->vm->vcpu_count;
}

/* An event that waits to be told, of a vCPU that the debugger has let go: of one that it keeps it
 * does not want to hear now. A breakpoint that has been removed meanwhile is none. */
static struct vcpu *with_event_locked(struct debug *d)
{
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        struct vcpu *vcpu = &d->vm->vcpus[i];
        struct debug_cpu *own = &vcpu->debug;

        if (own->action == GDB_STAY)
            continue;
        if (own->has_event && own->event.reason == GDB_BREAK &&
            gdb_breakpoints_at(&d->table, own->event.address) == NULL)
            own->has_event = false;
        if (own->has_event)
            return vcpu;
    }
    return NULL;
}

static void let_run_locked(struct debug *d, enum debug_phase phase)
{
    d->phase = phase;
    condition_wake_all(&d->changed);
}

static void tell_locked(struct debug *d, struct vcpu *vcpu)
{
    if (vcpu != NULL) {
        d->stop = vcpu->debug.event;
        vcpu->debug.has_event = false;
    } else {
        d->stop = (struct gdb_stop){.reason = GDB_STOPPED};
    }
    d->wanted = false;
    d->phase = DEBUG_STOPPED;
    d->notify(d->notify_to);
}

/* All are parked: tell the debugger, or let the next step be taken. */
static void go_on_locked(struct debug *d)
{
    struct vcpu *vcpu = with_event_locked(d);
    gpa_t place;

    traps_clear(&d->traps, &d->vm->memory);
    if (d->stale)
        debug_note_handlers_locked(d);
    if (vcpu != NULL || d->wanted) {
        tell_locked(d, vcpu);
        return;
    }
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        struct debug_cpu *own = &d->vm->vcpus[i].debug;

        enum debug_way way = DEBUG_WAY_FREE;

        if (own->action != GDB_STAY)
            way = debug_way_locked(d, &d->vm->vcpus[i], &place);
        if (way == DEBUG_WAY_FREE || (way == DEBUG_WAY_MET && own->passed))
            continue;
        own->passed = true;
        d->alone = &d->vm->vcpus[i];
        d->phase = DEBUG_ALONE;
        debug_plant_locked(d, &place);
        let_run_locked(d, DEBUG_ALONE);
        return;
    }
    d->phase = DEBUG_RUNNING;
    debug_plant_locked(d, NULL);
    let_run_locked(d, DEBUG_RUNNING);
}

/* Finishes the instruction that the last exit was in. If that makes a new exit, it is kept for when
 * the vCPU goes on. */
static void finish_exit(struct vcpu *vcpu)
{
    if (vcpu->again || kvm_finish_exit(&vcpu->cpu) != 0)
        return;
    if (!debug_takes_exit(vcpu))
        vcpu_keep_exit(vcpu);
}

void debug_park(struct vcpu *vcpu)
{
    struct debug *d = &vcpu->vm->debug;

    finish_exit(vcpu);
    lock_take(&d->lock);
    vcpu->debug.parked = true;
    if (d->phase == DEBUG_ALONE && d->alone == vcpu)
        d->phase = DEBUG_STOPPING;
    if (d->phase == DEBUG_STOPPING && all_parked_locked(d))
        go_on_locked(d);
    while (!may_run_locked(vcpu) && !is_stopping_for_good(vcpu))
        condition_wait(&d->changed, &d->lock);
    vcpu->debug.parked = false;
    vcpu->debug.looked = false;
    /* What asked for this stop may have asked twice; who wants another asks from now on. */
    __atomic_fetch_and(&vcpu->requests, ~(unsigned)VCPU_PAUSE, __ATOMIC_RELAXED);
    lock_release(&d->lock);
}

void debug_event(struct vcpu *vcpu, const struct gdb_stop *stop)
{
    struct debug *d = &vcpu->vm->debug;

    lock_take(&d->lock);
    if (d->phase != DEBUG_FREE) {
        vcpu->debug.event = *stop;
        vcpu->debug.event.cpu = vcpu->id;
        vcpu->debug.has_event = true;
        gather_locked(d);
        __atomic_fetch_or(&vcpu->requests, VCPU_PAUSE, __ATOMIC_RELEASE);
    }
    lock_release(&d->lock);
}

/* The vCPU has reached something that it can only get past alone. */
void debug_pass(struct vcpu *vcpu, bool stale)
{
    struct debug *d = &vcpu->vm->debug;

    lock_take(&d->lock);
    if (d->phase != DEBUG_FREE) {
        vcpu->debug.passed = false;
        d->stale |= stale;
        gather_locked(d);
        __atomic_fetch_or(&vcpu->requests, VCPU_PAUSE, __ATOMIC_RELEASE);
    }
    lock_release(&d->lock);
}

uint32_t debug_control(struct vcpu *vcpu)
{
    struct debug *d = &vcpu->vm->debug;
    uint32_t control = KVM_GUESTDBG_ENABLE;

    lock_take(&d->lock);
    if (d->phase == DEBUG_ALONE || vcpu->debug.action == GDB_STEP)
        control |= KVM_GUESTDBG_SINGLESTEP | d->step_flags;
    else if (d->plan.steps)
        control |= KVM_GUESTDBG_SINGLESTEP | (vcpu->debug.calm > 0 ? d->step_flags : 0);
    if (d->phase != DEBUG_ALONE && d->plan.used > 0)
        control |= KVM_GUESTDBG_USE_HW_BP;
    if (d->features.int3 && d->traps.count > 0)
        control |= KVM_GUESTDBG_USE_SW_BP;
    if (d->phase == DEBUG_FREE)
        control = 0;
    lock_release(&d->lock);
    return control;
}

bool debug_is_alone(struct vcpu *vcpu)
{
    struct debug *d = &vcpu->vm->debug;
    bool alone;

    lock_take(&d->lock);
    alone = d->phase == DEBUG_ALONE && d->alone == vcpu;
    lock_release(&d->lock);
    return alone;
}

void debug_stop(struct debug *d)
{
    lock_take(&d->lock);
    if (d->phase == DEBUG_STOPPED) {
        d->notify(d->notify_to);
    } else {
        d->wanted = true;
        gather_locked(d);
        if (all_parked_locked(d))
            go_on_locked(d);
    }
    lock_release(&d->lock);
}

bool debug_is_stopped(struct debug *d, struct gdb_stop *stop)
{
    bool stopped;

    lock_take(&d->lock);
    stopped = d->phase == DEBUG_STOPPED;
    *stop = d->stop;
    lock_release(&d->lock);
    return stopped;
}

/* A step that was done while another vCPU's stop was told is told by its registers. */
static void set_action(struct debug_cpu *own, enum gdb_action action)
{
    own->action = action;
    own->passed = false;
    if (own->event.reason == GDB_STEPPED)
        own->has_event = false;
}

void debug_resume(struct debug *d, const enum gdb_action *actions)
{
    lock_take(&d->lock);
    if (d->phase == DEBUG_STOPPED) {
        for (unsigned i = 0; i < d->vm->vcpu_count; i++)
            set_action(&d->vm->vcpus[i].debug, actions[i]);
        debug_note_watched_locked(d);
        debug_note_handlers_locked(d);
        go_on_locked(d);
    }
    lock_release(&d->lock);
}

void debug_release(struct debug *d, bool run)
{
    lock_take(&d->lock);
    traps_clear(&d->traps, &d->vm->memory);
    d->table.count = 0;
    d->plan = (struct gdb_plan){0};
    d->wanted = false;
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        d->vm->vcpus[i].debug.has_event = false;
        d->vm->vcpus[i].debug.action = GDB_RUN;
    }
    if (run)
        let_run_locked(d, DEBUG_FREE);
    lock_release(&d->lock);
}

/* The places move with their breakpoints: the table is small, so it is all done anew. */
int debug_insert(struct debug *d, const struct gdb_breakpoint *breakpoint, gpa_t place)
{
    struct gdb_breakpoints before = d->table;
    struct gdb_plan plan;
    int result = gdb_breakpoints_add(&d->table, breakpoint);

    if (result == 0 && d->table.count > before.count)
        d->places[before.count] = place;
    if (result == 0)
        result = gdb_plan(&plan, &d->table, &d->features);
    if (result < 0) {
        d->table = before;
        return result;
    }
    d->plan = plan;
    return 0;
}

void debug_remove(struct debug *d, const struct gdb_breakpoint *breakpoint)
{
    int index = gdb_breakpoints_remove(&d->table, breakpoint);

    if (index < 0)
        return;
    d->places[index] = d->places[d->table.count];
    if (gdb_plan(&d->plan, &d->table, &d->features) < 0)
        d->plan = (struct gdb_plan){0}; /* fewer breakpoints never need more registers */
}

void debug_vcpu_ended(struct vcpu *vcpu)
{
    struct debug *d = &vcpu->vm->debug;

    if (!d->enabled)
        return;
    lock_take(&d->lock);
    d->ended++;
    vcpu->debug.parked = false;
    if (d->phase == DEBUG_STOPPING && d->ended < d->vm->vcpu_count && all_parked_locked(d))
        go_on_locked(d);
    lock_release(&d->lock);
}

void debug_ended(struct debug *d)
{
    if (d->enabled)
        d->notify(d->notify_to);
}

void debug_wake(struct debug *d)
{
    if (!d->enabled)
        return;
    lock_take(&d->lock);
    condition_wake_all(&d->changed);
    lock_release(&d->lock);
}

static enum debug_phase phase_of(struct debug *d)
{
    enum debug_phase phase = DEBUG_FREE;

    if (!d->enabled)
        return phase;
    lock_take(&d->lock);
    phase = d->phase;
    lock_release(&d->lock);
    return phase;
}

bool debug_is_attached(struct debug *d)
{
    return phase_of(d) != DEBUG_FREE;
}

bool debug_holds(struct debug *d)
{
    enum debug_phase phase = phase_of(d);

    return phase != DEBUG_FREE && phase != DEBUG_RUNNING;
}
