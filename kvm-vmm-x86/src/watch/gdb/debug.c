/* Stops and resumes the guest, and inserts traps into its code meanwhile; see debug.h. */
#include "watch/gdb/debug.h"

#include <errno.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "vm/vm.h"
#include "watch/explain/walk.h"
#include "watch/travel/travel.h"

_Static_assert((int)CPUS_MAX <= (int)GDB_CPUS_MAX,
               "gdb's table of actions has a place for each vCPU");

int debug_snapshot(const struct vcpu *vcpu, struct snapshot *s)
{
    *s = (struct snapshot){.memory = &vcpu->vm->memory};
    return kvm_read_registers(&vcpu->cpu, &s->regs, &s->sregs, NULL);
}

/* Whether any vCPU runs in single steps. */
static bool steps_locked(const struct debug *d)
{
    bool steps = d->plan.steps || d->phase == DEBUG_ALONE;

    for (unsigned i = 0; i < d->vm->vcpu_count; i++)
        steps |= d->cpus[i].action == GDB_STEP;
    return steps;
}

static enum trap_kind handler_kind(const struct debug *d)
{
    return d->features.int3 ? TRAP_INT3 : TRAP_PORT;
}

/* Inserts breakpoints that are code and, while a vCPU steps, traps at handlers. Leaves out traps
 * that cover the instruction at `but` (or NULL), which is to be stepped over. */
static void insert_traps_locked(struct debug *d, const gpa_t *but)
{
    const struct memory *memory = &d->vm->memory;
    enum trap_kind kind;

    for (unsigned i = 0; i < d->table.count; i++) {
        kind = traps_kind(d->table.list[i].means);
        if (kind != 0 && (but == NULL || !traps_covers(kind, d->table.list[i].place, *but)))
            (void)traps_put(&d->traps, memory, d->table.list[i].place, kind);
    }
    kind = handler_kind(d);
    for (unsigned i = 0; steps_locked(d) && i < d->handlers.count; i++)
        if (but == NULL || !traps_covers(kind, d->handlers.list[i].at, *but))
            (void)traps_put(&d->traps, memory, d->handlers.list[i].at, kind);
}

/* What keeps a vCPU from running on: nothing; a trap at its instruction; a trap whose second byte
 * covers its instruction. */
enum obstacle { OBSTACLE_NONE, OBSTACLE_TRAP, OBSTACLE_COVERED };

static void worsen(enum obstacle *obstacle, enum trap_kind kind, gpa_t from, gpa_t at)
{
    if (at == from)
        *obstacle = *obstacle > OBSTACLE_TRAP ? *obstacle : OBSTACLE_TRAP;
    else if (traps_covers(kind, from, at))
        *obstacle = OBSTACLE_COVERED;
}

/* `place`: set to the GPA of the vCPU's instruction. */
static enum obstacle obstacle_locked(struct debug *d, struct vcpu *vcpu, gpa_t *place)
{
    enum obstacle obstacle = OBSTACLE_NONE;
    struct snapshot s;

    if (debug_snapshot(vcpu, &s) < 0)
        return OBSTACLE_NONE;
    if (!walk_place(&s, snapshot_linear_rip(&s), place))
        *place = UINT64_MAX;
    for (unsigned i = 0; i < d->table.count; i++) {
        const struct gdb_breakpoint *b = &d->table.list[i];

        /* A breakpoint by single steps is checked only after an instruction. */
        if (b->type <= GDB_HARDWARE && b->means == GDB_BY_REGISTER)
            worsen(&obstacle, 0, b->address, snapshot_linear_rip(&s));
        else if (traps_kind(b->means) != 0)
            worsen(&obstacle, traps_kind(b->means), d->table.list[i].place, *place);
    }
    for (unsigned i = 0; steps_locked(d) && i < d->handlers.count; i++)
        worsen(&obstacle, handler_kind(d), d->handlers.list[i].at, *place);
    return obstacle;
}

/* Stores the values with which watchpoints by single steps compare. */
static void note_watched_locked(struct debug *d)
{
    for (unsigned i = 0; i < d->table.count; i++)
        if (d->table.list[i].means == GDB_BY_STEPS && d->table.list[i].type >= GDB_WATCH_WRITE &&
            !memory_read(&d->vm->memory, d->table.list[i].place, d->watched[i],
                         d->table.list[i].length))
            memset(d->watched[i], 0, sizeof d->watched[i]);
}

static void note_handlers_locked(struct debug *d)
{
    d->stale = false;
    d->handlers.count = 0;
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        gva_t calls[HANDLERS_CALLS];
        struct snapshot s;

        if (debug_snapshot(&d->vm->vcpus[i], &s) < 0)
            continue;
        d->cpus[i].idt = s.sregs.idt;
        for (unsigned k = 0; k < HANDLERS_CALLS; k++)
            calls[k] = kvm_read_msr(&d->vm->vcpus[i].cpu, handlers_call_msrs[k]);
        handlers_add(&d->handlers, &s);
        handlers_add_calls(&d->handlers, &s, calls);
    }
}

/* Finds a vCPU with an event to report, among those that the debugger resumes; events of vCPUs that
 * stay stopped wait. A breakpoint that was removed meanwhile does not count. */
static struct debug_cpu *with_event_locked(struct debug *d)
{
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        struct debug_cpu *own = &d->cpus[i];

        if (own->action == GDB_STAY)
            continue;
        if (own->has_event && own->event.reason == GDB_BREAK &&
            gdb_breakpoints_at(&d->table, own->event.address) == NULL)
            own->has_event = false;
        if (own->has_event)
            return own;
    }
    return NULL;
}

/* `place`: of the instruction that one vCPU is to step over alone. */
static void let_run_locked(struct debug *d, enum debug_phase phase, const gpa_t *place)
{
    d->phase = phase;
    if (phase != DEBUG_FREE)
        insert_traps_locked(d, place);
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        struct debug_cpu *own = &d->cpus[i];

        own->looked = false;
        vm_hold_vcpu(own->vcpu, phase == DEBUG_ALONE     ? d->alone != own->vcpu
                                : phase == DEBUG_RUNNING ? own->action == GDB_STAY
                                                         : false);
    }
    vm_resume(d->vm, &d->holder);
}

/* From its first stop on, what the guest does can be repeated. */
static void look_locked(struct debug *d)
{
    if (d->travel == NULL && d->no_travel == NULL)
        d->travel = travel_make(d->vm, &d->features, &d->no_travel);
    if (d->travel != NULL)
        travel_look(d->travel);
}

/* The VM is quiet: tells the debugger, or resumes the guest for the next step. */
static void go_on_locked(struct debug *d)
{
    struct debug_cpu *own = with_event_locked(d);

    (void)traps_clear(&d->traps, &d->vm->memory);
    if (d->stale)
        note_handlers_locked(d);
    look_locked(d);
    if (own != NULL || d->wanted) {
        d->stop = own != NULL ? own->event : (struct gdb_stop){.reason = GDB_STOPPED};
        if (own != NULL)
            own->has_event = false;
        d->wanted = false;
        d->phase = DEBUG_STOPPED;
        d->notify(d->notify_to);
        return;
    }
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        enum obstacle obstacle = OBSTACLE_NONE;
        gpa_t place;

        own = &d->cpus[i];
        if (own->action != GDB_STAY)
            obstacle = obstacle_locked(d, own->vcpu, &place);
        if (obstacle == OBSTACLE_NONE || (obstacle == OBSTACLE_TRAP && own->passed))
            continue;
        own->passed = true;
        d->alone = own->vcpu;
        let_run_locked(d, DEBUG_ALONE, &place);
        return;
    }
    let_run_locked(d, DEBUG_RUNNING, NULL);
}

static void gather_locked(struct debug *d)
{
    d->phase = DEBUG_STOPPING;
    if (vm_pause(d->vm, &d->holder))
        go_on_locked(d);
}

/* The last vCPU has stopped. */
static void on_quiet(void *context)
{
    struct debug *d = context;
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase == DEBUG_STOPPING && vm_state(d->vm) == VM_PAUSED)
        go_on_locked(d);
}

void debug_init(struct debug *d, struct vm *vm, bool waits)
{
    d->vm = vm;
    d->step_flags = kvm_guest_debug_flags(vm->fd) & KVM_GUESTDBG_BLOCKIRQ;
    d->holder = (struct pause_holder){.quiet = on_quiet, .context = d};
    lock_init(&d->lock);
    d->phase = DEBUG_FREE;
    d->wanted = d->stale = false;
    d->table.count = d->traps.count = d->handlers.count = 0;
    d->plan = (struct gdb_plan){0};
    d->travel = NULL;
    d->no_travel = NULL;
    if (waits)
        debug_stop(d);
}

void debug_event(struct debug_cpu *own, const struct gdb_stop *stop)
{
    struct debug *d = own->debug;
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase == DEBUG_FREE)
        return;
    own->event = *stop;
    own->event.cpu = own->vcpu->id;
    own->has_event = true;
    gather_locked(d);
}

void debug_pass(struct debug_cpu *own, bool stale)
{
    struct debug *d = own->debug;
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase != DEBUG_FREE) {
        own->passed = false;
        d->stale |= stale;
        gather_locked(d);
    }
}

void debug_rest(struct debug_cpu *own)
{
    struct debug *d = own->debug;
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase != DEBUG_RUNNING)
        return;
    own->passed = true; /* a breakpoint at its RIP has not been hit yet: no step over it */
    gather_locked(d);
}

bool debug_passed(struct debug_cpu *own)
{
    struct debug *d = own->debug;
    LOCK_FOR_BLOCK(&d->lock);
    bool alone = d->phase == DEBUG_ALONE && d->alone == own->vcpu;

    if (alone)
        gather_locked(d);
    return alone;
}

uint32_t debug_control(struct debug_cpu *own)
{
    struct debug *d = own->debug;
    uint32_t control = KVM_GUESTDBG_ENABLE;
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase == DEBUG_FREE)
        return 0;
    if (d->phase == DEBUG_ALONE || own->action == GDB_STEP)
        control |= KVM_GUESTDBG_SINGLESTEP | d->step_flags;
    else if (d->plan.steps)
        control |= KVM_GUESTDBG_SINGLESTEP | (own->quiet_steps > 0 ? d->step_flags : 0);
    if (d->phase != DEBUG_ALONE && d->plan.used > 0)
        control |= KVM_GUESTDBG_USE_HW_BP;
    if (d->features.int3 && d->traps.count > 0)
        control |= KVM_GUESTDBG_USE_SW_BP;
    return control;
}

void debug_stop(struct debug *d)
{
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase == DEBUG_STOPPED) {
        d->notify(d->notify_to);
    } else if (d->phase == DEBUG_TRAVEL) {
        travel_stop(d->travel, false);
    } else {
        d->wanted = true;
        gather_locked(d);
    }
}

enum debug_phase debug_phase_of(struct debug *d)
{
    LOCK_FOR_BLOCK(&d->lock);
    return d->phase;
}

void debug_resume(struct debug *d, const enum gdb_action *actions)
{
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase == DEBUG_STOPPED) {
        for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
            struct debug_cpu *own = &d->cpus[i];

            own->action = actions[i];
            own->passed = false;
            /* A step that ended while another vCPU's stop was reported shows in the registers. */
            if (own->event.reason == GDB_STEPPED)
                own->has_event = false;
        }
        look_locked(d);
        note_watched_locked(d);
        note_handlers_locked(d);
        go_on_locked(d);
    }
}

void debug_release(struct debug *d, bool run)
{
    LOCK_FOR_BLOCK(&d->lock);

    (void)traps_clear(&d->traps, &d->vm->memory);
    d->table.count = 0;
    d->plan = (struct gdb_plan){0};
    d->wanted = false;
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        d->cpus[i].has_event = false;
        d->cpus[i].action = GDB_RUN;
    }
    if (run)
        let_run_locked(d, DEBUG_FREE, NULL);
}

/* The plan refers to the table's entries, so each change makes it again. */
int debug_insert(struct debug *d, const struct gdb_breakpoint *breakpoint)
{
    struct gdb_breakpoints before = d->table;
    struct gdb_plan plan;
    int result = gdb_breakpoints_add(&d->table, breakpoint);

    if (result == 0)
        result = gdb_plan(&plan, &d->table, &d->features);
    if (result == 0)
        d->plan = plan;
    else
        d->table = before;
    return result;
}

void debug_remove(struct debug *d, const struct gdb_breakpoint *breakpoint)
{
    if (gdb_breakpoints_remove(&d->table, breakpoint) >= 0 &&
        gdb_plan(&d->plan, &d->table, &d->features) < 0)
        d->plan = (struct gdb_plan){0}; /* fewer breakpoints never need more registers */
}

/* Called on the travel's thread: the guest is at another point in time, or where it was. */
static void on_back(void *context)
{
    struct debug *d = context;
    struct debug_cpu *own = &d->cpus[0];
    LOCK_FOR_BLOCK(&d->lock);

    own->has_event = own->looked = own->passed = own->reinject = false;
    own->crash_told = own->crash_told && own->vcpu->again;
    own->control = UINT32_MAX; /* KVM's debug flags are not the ones that it stored */
    d->stop = d->travel->stop;
    d->stop.text = d->travel->text[0] != '\0' ? d->travel->text : NULL;
    d->phase = DEBUG_STOPPED;
    d->notify(d->notify_to);
}

const char *debug_why_not_back(struct debug *d)
{
    LOCK_FOR_BLOCK(&d->lock);
    return d->no_travel;
}

const char *debug_go_back(struct debug *d, enum travel_kind kind,
                          const struct gdb_breakpoint *watched)
{
    struct gdb_breakpoints one = {.count = 0};
    LOCK_FOR_BLOCK(&d->lock);

    if (d->phase != DEBUG_STOPPED || d->travel == NULL)
        return d->no_travel != NULL ? d->no_travel : "the guest has not stopped";
    if (watched != NULL)
        (void)!gdb_breakpoints_add(&one, watched);
    d->travel->done = on_back;
    d->travel->context = d;
    d->phase = DEBUG_TRAVEL;
    if (travel_start(d->travel, kind, watched != NULL ? &one : &d->table) == 0)
        return NULL;
    d->phase = DEBUG_STOPPED;
    return "no thread could be started for it";
}

void debug_back(struct debug *d)
{
    if (d->travel != NULL && debug_phase_of(d) != DEBUG_TRAVEL)
        travel_join(d->travel);
}

void debug_edited(struct debug *d)
{
    if (d->travel != NULL)
        travel_forget(d->travel);
}

void debug_end(struct debug *d)
{
    if (d->travel == NULL)
        return;
    travel_stop(d->travel, true);
    travel_join(d->travel);
    travel_free(d->travel);
    d->travel = NULL;
}
