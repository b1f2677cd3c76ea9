/* Stops of a repeated run; see stops.h. Debug register 6: Intel SDM volume 3, 18.2.3. */
#include "watch/travel/stops.h"

#include <errno.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "watch/explain/walk.h"

enum { VECTOR_BP = 3, DR6_HITS = 0xf };

static bool is_watch(const struct gdb_breakpoint *b)
{
    return b->type >= GDB_WATCH_WRITE;
}

static int plan_registers(struct stops *stops, const struct probe_debug *features)
{
    for (unsigned i = 0; i < stops->table.count; i++)
        if (!is_watch(&stops->table.list[i]))
            stops->table.list[i].type = GDB_HARDWARE;
    return gdb_plan(&stops->plan, &stops->table, features);
}

/* Debug registers change nothing in the guest, so they come first. If they do not suffice, each
 * breakpoint is as the user asked for it. */
void stops_make(struct stops *stops, const struct gdb_breakpoints *table,
                const struct probe_debug *features)
{
    stops->table = *table;
    if (features->breakpoint && plan_registers(stops, features) == 0)
        return;
    stops->table = *table;
    if (gdb_plan(&stops->plan, &stops->table, features) < 0)
        stops->plan = (struct gdb_plan){.steps = true};
    for (unsigned i = 0; i < stops->table.count; i++)
        stops->plan.steps |=
            traps_kind(stops->table.list[i].means) != 0 && stops->table.list[i].place == UINT64_MAX;
}

/* Whether the code of a trap is in memory now. */
static bool is_code(const struct gdb_breakpoint *b, const struct memory *memory)
{
    enum trap_kind kind = traps_kind(b->means);
    uint8_t now[GDB_CODE_LENGTH];

    return kind != 0 && memory_read(memory, b->place, now, kind) && memcmp(now, b->code, kind) == 0;
}

bool stops_make_with(struct stops *stops, const struct gdb_breakpoints *table,
                     const struct gdb_breakpoint *last, const struct probe_debug *features,
                     const struct memory *memory)
{
    struct gdb_breakpoints both = *table;

    if (both.count == GDB_BREAKPOINTS_MAX || last->place == UINT64_MAX)
        return false;
    both.list[both.count++] = *last;
    stops_make(stops, &both, features);
    last = &stops->table.list[both.count - 1];
    return !stops->plan.steps && (traps_kind(last->means) == 0 || is_code(last, memory));
}

/* Whether the code of each trap is in memory. If not, the guest may load it before its next exit.
 */
static bool code_is_there(const struct stops *stops, const struct memory *memory)
{
    for (unsigned i = 0; i < stops->table.count; i++)
        if (traps_kind(stops->table.list[i].means) != 0 && !is_code(&stops->table.list[i], memory))
            return false;
    return true;
}

/* False: one cannot be inserted. */
static bool insert(const struct stops *stops, struct stepper *s)
{
    for (unsigned i = 0; i < stops->table.count; i++) {
        const struct gdb_breakpoint *b = &stops->table.list[i];

        if (traps_kind(b->means) != 0 &&
            !traps_put(&s->traps, s->before.memory, b->place, traps_kind(b->means)))
            return false;
    }
    return true;
}

/* The breakpoint whose trap is `back` bytes before RIP, or NULL. */
static const struct gdb_breakpoint *trap_at(const struct stops *stops, const struct stepper *s,
                                            unsigned back)
{
    struct snapshot state = stepper_state(s);
    gpa_t place;

    state.regs.rip -= back;
    if (traps_find(&s->traps, &state, snapshot_linear_rip(&state), &place) == NULL)
        return NULL;
    for (unsigned i = 0; i < stops->table.count; i++)
        if (traps_kind(stops->table.list[i].means) != 0 && stops->table.list[i].place == place)
            return &stops->table.list[i];
    return NULL;
}

static bool is_int3(const struct kvm_run *run)
{
    return run->exit_reason == KVM_EXIT_DEBUG && run->debug.arch.exception == VECTOR_BP;
}

static bool is_trap_port(const struct kvm_run *run)
{
    return run->exit_reason == KVM_EXIT_IO && run->io.port == TRAPS_PORT &&
           run->io.direction == KVM_EXIT_IO_OUT && run->io.size == 1;
}

/* The vCPU has written to the port of a trap: sets RIP back to it, and returns the breakpoint.
 * NULL: the write is the guest's own, or `*lost`. KVM may report it with RIP at it or behind it. */
static const struct gdb_breakpoint *leave_port(const struct stops *stops, const struct stepper *s,
                                               bool *lost)
{
    struct kvm_run *run = s->vcpu->cpu.run;
    struct kvm_regs regs;

    if (trap_at(stops, s, 0) == NULL && trap_at(stops, s, TRAP_PORT) == NULL)
        return NULL;
    *lost = kvm_finish_exit(&s->vcpu->cpu) != -EINTR ||
            kvm_read_registers(&s->vcpu->cpu, &regs, &run->s.regs.sregs, NULL) < 0;
    regs.rip -= TRAP_PORT;
    *lost = *lost || kvm_write_general(&s->vcpu->cpu, &regs) < 0;
    return *lost ? NULL : trap_at(stops, s, 0);
}

/* The breakpoint that the vCPU has hit, while traps are inserted; or NULL. */
static const struct gdb_breakpoint *find_hit(const struct stops *stops, const struct stepper *s,
                                             bool *lost)
{
    const struct kvm_run *run = s->vcpu->cpu.run;

    if (is_int3(run))
        return trap_at(stops, s, 0);
    if (is_trap_port(run))
        return leave_port(stops, s, lost);
    if (run->exit_reason != KVM_EXIT_DEBUG)
        return NULL;
    for (unsigned i = 0; i < stops->plan.used; i++)
        if (run->debug.arch.dr6 & DR6_HITS & 1 << i)
            return stops->plan.owner[i];
    return NULL;
}

bool stops_cover(const struct stops *stops, const struct stepper *s)
{
    struct snapshot state;
    gpa_t here = UINT64_MAX;

    for (unsigned i = 0; i < stops->table.count; i++) {
        if (traps_kind(stops->table.list[i].means) != TRAP_PORT)
            continue;
        if (here == UINT64_MAX) {
            state = stepper_state(s);
            if (!walk_place(&state, snapshot_linear_rip(&state), &here))
                return false;
        }
        if (stops->table.list[i].place + 1 == here)
            return true;
    }
    return false;
}

/* The guest's own int3 is injected into the guest. */
enum stepper_result stops_run(struct stops *stops, struct stepper *s,
                              const struct gdb_breakpoint **hit)
{
    const struct memory *memory = s->before.memory;
    uint32_t control = stops->plan.dr7 != 0 ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP : 0;
    uint32_t reinject = 0;
    bool inserted, untouched, lost;

    for (unsigned i = 0; i < stops->table.count; i++)
        if (stops->table.list[i].means == GDB_BY_INT3)
            control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
    do {
        inserted = code_is_there(stops, memory) && insert(stops, s);
        lost = inserted && (kvm_set_guest_debug(&s->vcpu->cpu, control | reinject,
                                                stops->plan.address, stops->plan.dr7) < 0 ||
                            !worker_enter(s->worker, s->vcpu));
        *hit = inserted && !lost ? find_hit(stops, s, &lost) : NULL;
        untouched = traps_clear(&s->traps, memory);
        if (lost)
            return STEPPER_LOST;
        if (!inserted || !untouched)
            return STEPPER_MISSED;
        reinject = KVM_GUESTDBG_INJECT_BP;
    } while (*hit == NULL && is_int3(s->vcpu->cpu.run));
    return *hit != NULL ? STEPPER_DEBUG : stepper_handle(s);
}
