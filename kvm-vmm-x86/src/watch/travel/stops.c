/* Stops of a repeated run; see stops.h. Debug register 6: Intel SDM volume 3, 18.2.3. */
#include "watch/travel/stops.h"

#include <string.h>

#include "host/kvm/debug.h"
#include "watch/explain/walk.h"

enum { VECTOR_BP = 3, DR6_HITS = 0xf };

_Static_assert(GDB_BREAKPOINTS_MAX <= 64, "a bit for each in one word");

static bool is_watch(const struct gdb_breakpoint *b)
{
    return b->type >= GDB_WATCH_WRITE;
}

static int plan_as(struct stops *stops, enum gdb_breakpoint_type type,
                   const struct probe_debug *features)
{
    for (unsigned i = 0; i < stops->table.count; i++)
        if (!is_watch(&stops->table.list[i]))
            stops->table.list[i].type = type;
    return gdb_plan(&stops->plan, &stops->table, features);
}

/* Debug registers change nothing in the guest, so they come first. */
void stops_make(struct stops *stops, const struct gdb_breakpoints *table,
                const struct probe_debug *features)
{
    stops->table = *table;
    if ((!features->breakpoint || plan_as(stops, GDB_HARDWARE, features) < 0) &&
        plan_as(stops, GDB_SOFTWARE, features) < 0)
        stops->plan = (struct gdb_plan){.steps = true};
}

bool stops_make_with(struct stops *stops, const struct gdb_breakpoints *table,
                     const struct gdb_breakpoint *last, const struct probe_debug *features)
{
    struct gdb_breakpoints both = *table;

    if (both.count == GDB_BREAKPOINTS_MAX || last->place == UINT64_MAX)
        return false;
    both.list[both.count++] = *last;
    stops_make(stops, &both, features);
    return !stops->plan.steps;
}

static bool is_code(const struct stops *stops, unsigned i, const struct memory *memory)
{
    const struct gdb_breakpoint *b = &stops->table.list[i];
    enum trap_kind kind = traps_kind(b->means);
    uint8_t now[GDB_CODE_LENGTH];

    return kind != 0 && memory_read(memory, b->place, now, kind) && memcmp(now, b->code, kind) == 0;
}

/* One bit for each breakpoint whose code is in memory now. */
static uint64_t code_there(const struct stops *stops, const struct memory *memory)
{
    uint64_t there = 0;

    for (unsigned i = 0; i < stops->table.count; i++)
        there |= (uint64_t)is_code(stops, i, memory) << i;
    return there;
}

static void insert(const struct stops *stops, struct stepper *s, uint64_t there)
{
    for (unsigned i = 0; i < stops->table.count; i++)
        if (there >> i & 1)
            (void)traps_put(&s->traps, s->before.memory, stops->table.list[i].place,
                            traps_kind(stops->table.list[i].means));
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

/* The breakpoint that the vCPU has hit, while traps are inserted; or NULL. */
static const struct gdb_breakpoint *find_hit(const struct stops *stops, const struct stepper *s)
{
    const struct kvm_run *run = s->vcpu->cpu.run;
    const struct gdb_breakpoint *b;

    if (is_int3(run))
        return trap_at(stops, s, 0);
    if (is_trap_port(run)) {
        b = trap_at(stops, s, 0);
        return b != NULL ? b : trap_at(stops, s, TRAP_PORT);
    }
    if (run->exit_reason != KVM_EXIT_DEBUG)
        return NULL;
    for (unsigned i = 0; i < stops->plan.used; i++)
        if (run->debug.arch.dr6 & DR6_HITS & 1 << i)
            return stops->plan.owner[i];
    return NULL;
}

/* The vCPU has hit a port trap: sets RIP back to the trap's address. */
static bool leave_port(const struct stepper *s)
{
    struct kvm_run *run = s->vcpu->cpu.run;
    struct kvm_regs regs;

    if (kvm_finish_exit(&s->vcpu->cpu) == 0 ||
        kvm_read_registers(&s->vcpu->cpu, &regs, &run->s.regs.sregs, NULL) < 0)
        return false;
    regs.rip -= TRAP_PORT;
    return kvm_write_general(&s->vcpu->cpu, &regs) == 0;
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
    bool entered;
    uint64_t there;

    do {
        there = code_there(stops, memory);
        insert(stops, s, there);
        if (there != 0)
            control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
        entered = kvm_set_guest_debug(&s->vcpu->cpu, control | reinject, stops->plan.address,
                                      stops->plan.dr7) == 0 &&
                  worker_enter(s->worker, s->vcpu);
        *hit = entered ? find_hit(stops, s) : NULL;
        traps_clear(&s->traps, memory);
        if (!entered)
            return STEPPER_LOST;
        if (code_there(stops, memory) != there)
            return STEPPER_MISSED;
        reinject = KVM_GUESTDBG_INJECT_BP;
    } while (*hit == NULL && is_int3(s->vcpu->cpu.run));
    if (*hit == NULL)
        return stepper_handle(s);
    return !is_trap_port(s->vcpu->cpu.run) || leave_port(s) ? STEPPER_DEBUG : STEPPER_LOST;
}
