/* Legs; see leg.h. The flag RF: Intel SDM volume 3, 18.3.1.1. */
#include "watch/travel/leg.h"

#include <stdio.h>
#include <string.h>

#include "vm/deck.h"

#define RFLAGS_RF (UINT64_C(1) << 16)
#define RFLAGS_TF (UINT64_C(1) << 8)

static void note_watched(struct travel *t)
{
    for (unsigned i = 0; i < t->stops.table.count; i++)
        if (t->stops.table.list[i].type >= GDB_WATCH_WRITE &&
            !memory_read(&t->vm->memory, t->stops.table.list[i].place, t->watched[i],
                         t->stops.table.list[i].length))
            memset(t->watched[i], 0, sizeof t->watched[i]);
}

bool leg_start(struct travel *t, int number)
{
    struct error error;

    if (checkpoints_restore(&t->points, number, &error) < 0) {
        snprintf(t->text, sizeof t->text, "%.300s\n", error.text);
        return false;
    }
    t->vm->vcpus[0].deck->mode = DECK_REPLAY;
    stepper_init(&t->stepper, &t->worker, &t->vm->vcpus[0]);
    note_watched(t);
    return true;
}

/* Counts a hit. True: this is the one that is looked for. */
static bool count_hit(struct leg *leg, const struct gdb_breakpoint *b)
{
    leg->hits++;
    leg->hit = (struct gdb_stop){.reason = b->type >= GDB_WATCH_WRITE ? GDB_WATCH : GDB_BREAK,
                                 .type = b->type,
                                 .address = b->address};
    return leg->hits == leg->hits_max;
}

static const struct gdb_breakpoint *changed(struct travel *t)
{
    uint8_t now[GDB_WATCH_LENGTH_MAX];

    for (unsigned i = 0; i < t->stops.table.count; i++) {
        const struct gdb_breakpoint *b = &t->stops.table.list[i];

        if (b->type < GDB_WATCH_WRITE || !memory_read(&t->vm->memory, b->place, now, b->length) ||
            memcmp(now, t->watched[i], b->length) == 0)
            continue;
        memcpy(t->watched[i], now, b->length);
        return b;
    }
    return NULL;
}

/* Checks watchpoints and breakpoints after a step or an exit. */
static bool look_around(struct travel *t, struct leg *leg, bool *counted)
{
    struct snapshot s = stepper_state(&t->stepper);
    const struct gdb_breakpoint *b;

    *counted = false;
    if (!leg->looks)
        return false;
    if ((b = changed(t)) != NULL && count_hit(leg, b))
        return true;
    b = gdb_breakpoints_at(&t->stops.table, snapshot_linear_rip(&s));
    *counted = b != NULL;
    return b != NULL && count_hit(leg, b);
}

static bool is_there(struct travel *t, int number)
{
    const struct checkpoint *p = &t->points.list[number];
    struct snapshot s = stepper_state(&t->stepper);
    struct kvm_regs now = s.regs, then = p->regs;

    now.rflags &= ~(RFLAGS_RF | RFLAGS_TF);
    then.rflags &= ~(RFLAGS_RF | RFLAGS_TF);
    return memcmp(&now, &then, sizeof now) == 0 && s.sregs.cs.base == p->sregs.cs.base &&
           s.sregs.cr0 == p->sregs.cr0 && s.sregs.cr3 == p->sregs.cr3 &&
           checkpoints_memory_is(&t->points, number);
}

/* At the target: a watched write counts if it was done just before. */
static enum leg_result there(struct travel *t, struct leg *leg)
{
    const struct gdb_breakpoint *b = leg->looks ? changed(t) : NULL;

    return b != NULL && count_hit(leg, b) ? LEG_HIT : LEG_THERE;
}

/* If the target is a crash, the guest must crash again: another exit is not the target. Only
 * crashes are compared: the reason of an exit that is handled later may be that of a newer KVM_RUN.
 */
static bool is_its_exit(const struct travel *t, int number)
{
    const struct checkpoint *p = number >= 0 ? &t->points.list[number] : NULL;

    return p == NULL || !p->crash || p->reason == t->vm->vcpus[0].cpu.run->exit_reason;
}

/* After the last exit before the target: goes on instruction by instruction. */
static enum leg_result walk_leg(struct travel *t, struct leg *leg)
{
    bool until_exit = leg->until < 0 || t->points.list[leg->until].at_exit, counted;
    enum stepper_result result = t->vm->vcpus[0].again ? STEPPER_EXIT : stepper_begin(&t->stepper);

    leg->steps = 0;
    leg->at_exit = result == STEPPER_EXIT;
    while (result == STEPPER_DONE) {
        if (!until_exit && is_there(t, leg->until))
            return there(t, leg);
        if (leg->steps == leg->steps_max)
            return LEG_THERE;
        if (look_around(t, leg, &counted))
            return LEG_HIT;
        result = stepper_step(&t->stepper);
        leg->steps += result == STEPPER_DONE;
    }
    return result == STEPPER_EXIT && until_exit && is_its_exit(t, leg->until) ? LEG_THERE
                                                                              : LEG_LOST;
}

/* Counts a stop at a breakpoint's instruction, or after a watched write. */
static bool count_stop(struct travel *t, struct leg *leg, const struct gdb_breakpoint *b,
                       bool *counted)
{
    if (b == NULL)
        return false;
    (void)changed(t);
    *counted = b->type < GDB_WATCH_WRITE;
    return count_hit(leg, b);
}

/* The same from stop to stop; the last stop of the table is the target itself. */
static enum leg_result run_leg(struct travel *t, struct leg *leg)
{
    struct stops *stops = &t->stops_there;
    const struct gdb_breakpoint *place = &stops->table.list[stops->table.count - 1], *hit;
    enum stepper_result result = t->vm->vcpus[0].again ? STEPPER_EXIT : stepper_begin(&t->stepper);
    bool counted = false;

    while (result == STEPPER_DONE || result == STEPPER_DEBUG) {
        if (is_there(t, leg->until))
            return there(t, leg);
        if ((hit = changed(t)) != NULL && count_hit(leg, hit))
            return LEG_HIT;
        if (counted || stops_cover(stops, &t->stepper)) {
            result = stepper_step(&t->stepper);
            counted = false;
            continue;
        }
        result = stops_run(stops, &t->stepper, &hit);
        if (result == STEPPER_DONE) /* an exit, which is after the target */
            return LEG_LOST;
        counted = hit == place;
        if (!counted && hit != NULL && !is_there(t, leg->until) &&
            count_stop(t, leg, hit, &counted))
            return LEG_HIT;
    }
    return result == STEPPER_MISSED ? LEG_MISSED : LEG_LOST;
}

/* Whether run_leg can be used: the target is not at an exit, and no stop needs single steps. */
static bool can_run(struct travel *t, const struct leg *leg)
{
    const struct checkpoint *p = leg->until >= 0 ? &t->points.list[leg->until] : NULL;

    return leg->looks && p != NULL && !p->at_exit && !t->stops.plan.steps &&
           stops_make_with(&t->stops_there, &t->stops.table, &p->next, &t->features,
                           &t->vm->memory);
}

static bool was_input(const struct kvm_run *run)
{
    return (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN) ||
           (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write);
}

/* Runs the leg from the vCPU's current state. */
enum leg_result leg_run(struct travel *t, struct leg *leg)
{
    struct vcpu *vcpu = &t->vm->vcpus[0];
    bool steps = leg->looks && t->stops.plan.steps, counted = false, begun = false;
    const struct gdb_breakpoint *hit = NULL;
    enum stepper_result result;

    while (vcpu->recorded < leg->exits) {
        bool step = steps || counted || (leg->looks && stops_cover(&t->stops, &t->stepper));

        if (vcpu->again) {
            result = stepper_handle(&t->stepper);
        } else if (step && !begun) {
            result = stepper_begin(&t->stepper);
            begun = true;
            if (result == STEPPER_DONE && steps && look_around(t, leg, &counted))
                return LEG_HIT;
        } else if (step) {
            result = stepper_step(&t->stepper);
            if (result == STEPPER_DONE && look_around(t, leg, &counted))
                return LEG_HIT;
        } else {
            result =
                leg->looks ? stops_run(&t->stops, &t->stepper, &hit) : stepper_run(&t->stepper);
            if (result == STEPPER_DEBUG && count_stop(t, leg, hit, &counted))
                return LEG_HIT;
            if (result == STEPPER_MISSED)
                return LEG_MISSED;
            begun = result == STEPPER_DEBUG;
            counted = counted && result == STEPPER_DEBUG;
            if (result == STEPPER_DEBUG)
                continue;
            if (result == STEPPER_DONE && leg->looks && was_input(vcpu->cpu.run)) {
                const struct gdb_breakpoint *b;

                result = stepper_begin(&t->stepper); /* debug registers miss KVM's own writes */
                if (result == STEPPER_DONE && (b = changed(t)) != NULL && count_hit(leg, b))
                    return LEG_HIT;
            }
        }
        if (result == STEPPER_EXIT) {
            result = stepper_handle(&t->stepper);
            begun = counted = false;
        }
        if (result != STEPPER_DONE)
            return LEG_LOST;
    }
    if (vcpu->recorded != leg->exits)
        return LEG_LOST;
    return can_run(t, leg) ? run_leg(t, leg) : walk_leg(t, leg);
}

bool leg_travel(struct travel *t, int from, struct leg *leg, enum leg_result wanted)
{
    return leg_start(t, from) && leg_run(t, leg) == wanted;
}
