/* What is put into the guest's code before it goes on, and what is noted for single steps; see
 * debug.h. */
#include "host/kvm_debug.h"
#include "vm/vm.h"
#include "watch/explain/walk.h"
#include "watch/gdb/debug.h"

/* Whether any vCPU goes on step by step. */
static bool steps_locked(const struct debug *d)
{
    bool steps = d->plan.steps;

    for (unsigned i = 0; i < d->vm->vcpu_count; i++)
        steps |= d->vm->vcpus[i].debug.action == GDB_STEP;
    return steps;
}

static enum trap_kind kind_of(enum gdb_means means)
{
    return means == GDB_BY_INT3 ? TRAP_INT3 : TRAP_PORT;
}

static bool is_code(const struct gdb_breakpoint *b)
{
    return b->means == GDB_BY_INT3 || b->means == GDB_BY_PORT;
}

static enum trap_kind handler_kind(const struct debug *d)
{
    return d->features.int3 ? TRAP_INT3 : TRAP_PORT;
}

/* Breakpoints that are code, and the entries while anything steps. What the one vCPU is at that is
 * to step alone is left as it is. */
void debug_plant_locked(struct debug *d, const gpa_t *but)
{
    const struct memory *memory = &d->vm->memory;
    bool steps = d->phase == DEBUG_ALONE || steps_locked(d);

    for (unsigned i = 0; i < d->table.count; i++) {
        enum trap_kind kind = kind_of(d->table.list[i].means);

        if (is_code(&d->table.list[i]) && (but == NULL || !traps_covers(kind, d->places[i], *but)))
            (void)traps_put(&d->traps, memory, d->places[i], kind);
    }
    for (unsigned i = 0; steps && i < d->handlers.count; i++)
        if (but == NULL || !traps_covers(handler_kind(d), d->handlers.list[i].at, *but))
            (void)traps_put(&d->traps, memory, d->handlers.list[i].at, handler_kind(d));
}

/* What a trap at `from` is to a vCPU at `at`. */
static enum debug_way way_of(enum trap_kind kind, gpa_t from, gpa_t at)
{
    if (at == from)
        return DEBUG_WAY_MET;
    return traps_covers(kind, from, at) ? DEBUG_WAY_COVERED : DEBUG_WAY_FREE;
}

static enum debug_way way_past(const struct debug *d, unsigned i, gva_t at, gpa_t place)
{
    const struct gdb_breakpoint *b = &d->table.list[i];

    if (b->type > GDB_HARDWARE || b->means == GDB_BY_STEPS)
        return DEBUG_WAY_FREE; /* by single steps it is looked at only after an instruction */
    if (is_code(b))
        return way_of(kind_of(b->means), d->places[i], place);
    return b->address == at ? DEBUG_WAY_MET : DEBUG_WAY_FREE;
}

enum debug_way debug_way_locked(struct debug *d, struct vcpu *vcpu, gpa_t *place)
{
    enum debug_way worst = DEBUG_WAY_FREE, way;
    struct snapshot s;

    if (debug_snapshot(vcpu, &s) < 0)
        return DEBUG_WAY_FREE;
    if (!walk_place(&s, &d->vm->memory, snapshot_linear_rip(&s), place))
        *place = UINT64_MAX;
    for (unsigned i = 0; i < d->table.count; i++) {
        way = way_past(d, i, snapshot_linear_rip(&s), *place);
        worst = way > worst ? way : worst;
    }
    for (unsigned i = 0; steps_locked(d) && i < d->handlers.count; i++) {
        way = way_of(handler_kind(d), d->handlers.list[i].at, *place);
        worst = way > worst ? way : worst;
    }
    return worst;
}

/* What watchpoints by single steps compare with. */
void debug_note_watched_locked(struct debug *d)
{
    for (unsigned i = 0; i < d->table.count; i++)
        if (d->table.list[i].means == GDB_BY_STEPS && d->table.list[i].type >= GDB_WATCH_WRITE &&
            !memory_read(&d->vm->memory, d->places[i], d->watches[i].bytes,
                         d->table.list[i].length))
            d->watches[i] = (struct debug_watch){0};
}

void debug_note_handlers_locked(struct debug *d)
{
    /* Intel SDM volume 4, table 2-2. */
    static const uint32_t msrs[HANDLERS_CALLS] = {
        [HANDLERS_LSTAR] = 0xc0000082, [HANDLERS_CSTAR] = 0xc0000083, [HANDLERS_SYSENTER] = 0x176};

    d->stale = false;
    d->handlers.count = 0;
    for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
        gva_t calls[HANDLERS_CALLS];
        struct snapshot s;

        if (debug_snapshot(&d->vm->vcpus[i], &s) < 0)
            continue;
        d->vm->vcpus[i].debug.idt = s.sregs.idt;
        for (unsigned k = 0; k < HANDLERS_CALLS; k++)
            calls[k] = kvm_read_msr(&d->vm->vcpus[i].cpu, msrs[k]);
        handlers_add(&d->handlers, &s, &d->vm->memory);
        handlers_add_calls(&d->handlers, &s, &d->vm->memory, calls);
    }
}
