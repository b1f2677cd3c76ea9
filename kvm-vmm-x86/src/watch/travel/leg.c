/* Legs; see leg.h. The flag RF and debug register 6: Intel SDM volume 3, 18.2.3 and 18.3.1.1. */
#include "watch/travel/leg.h"

#include <stdio.h>
#include <string.h>

#include "vm/deck.h"

#define RFLAGS_RF (UINT64_C(1) << 16)
#define RFLAGS_TF (UINT64_C(1) << 8)
#define DR6_HITS  0xf

static void note_watched(struct travel *t)
{
    for (unsigned i = 0; i < t->table.count; i++)
        if (t->table.list[i].type >= GDB_WATCH_WRITE &&
            !memory_read(&t->vm->memory, t->table.list[i].place, t->watched[i],
                         t->table.list[i].length))
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

/* True: this was the one that is looked for. */
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

    for (unsigned i = 0; i < t->table.count; i++) {
        const struct gdb_breakpoint *b = &t->table.list[i];

        if (b->type < GDB_WATCH_WRITE || !memory_read(&t->vm->memory, b->place, now, b->length) ||
            memcmp(now, t->watched[i], b->length) == 0)
            continue;
        memcpy(t->watched[i], now, b->length);
        return b;
    }
    return NULL;
}

/* What a step, or an exit, has brought about. */
static bool look_around(struct travel *t, struct leg *leg, bool *counted)
{
    struct snapshot s = stepper_state(&t->stepper);
    const struct gdb_breakpoint *b;

    *counted = false;
    if (!leg->looks)
        return false;
    if ((b = changed(t)) != NULL && count_hit(leg, b))
        return true;
    b = gdb_breakpoints_at(&t->table, snapshot_linear_rip(&s));
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

/* Behind the last exit before the place: instruction by instruction. */
static enum leg_result walk_leg(struct travel *t, struct leg *leg)
{
    bool until_exit = leg->until < 0 || t->points.list[leg->until].at_exit, counted;
    enum stepper_result result = t->vm->vcpus[0].again ? STEPPER_EXIT : stepper_begin(&t->stepper);

    leg->steps = 0;
    leg->at_exit = result == STEPPER_EXIT;
    while (result == STEPPER_DONE) {
        if (leg->steps == leg->steps_max || (!until_exit && is_there(t, leg->until)))
            return LEG_THERE;
        if (leg->steps == 0 && look_around(t, leg, &counted))
            return LEG_HIT;
        result = stepper_step(&t->stepper);
        if (result != STEPPER_DONE)
            break;
        leg->steps++;
        if (!until_exit && leg->looks && is_there(t, leg->until)) {
            const struct gdb_breakpoint *b = changed(t);

            return b != NULL && count_hit(leg, b) ? LEG_HIT : LEG_THERE;
        }
        if (look_around(t, leg, &counted))
            return LEG_HIT;
    }
    return result == STEPPER_EXIT && until_exit ? LEG_THERE : LEG_LOST;
}

/* At a debug register: what is watched was written, or a breakpoint's instruction is next. */
static bool count_register(struct travel *t, struct leg *leg, bool *counted)
{
    uint64_t hits = t->vm->vcpus[0].cpu.run->debug.arch.dr6 & DR6_HITS;

    for (unsigned i = 0; i < t->plan.used; i++) {
        if (!(hits >> i & 1))
            continue;
        (void)changed(t);
        *counted = t->plan.owner[i]->type < GDB_WATCH_WRITE;
        return count_hit(leg, t->plan.owner[i]);
    }
    return false;
}

static bool was_input(const struct kvm_run *run)
{
    return (run->exit_reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_IN) ||
           (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write);
}

/* From where the vCPU is. */
enum leg_result leg_run(struct travel *t, struct leg *leg)
{
    struct vcpu *vcpu = &t->vm->vcpus[0];
    bool steps = leg->looks && t->plan.steps, counted = false, begun = false;
    uint64_t dr7 = leg->looks ? t->plan.dr7 : 0;
    enum stepper_result result;

    while (vcpu->recorded < leg->exits) {
        if (vcpu->again) {
            result = stepper_handle(&t->stepper);
        } else if ((steps || counted) && !begun) {
            result = stepper_begin(&t->stepper);
            begun = true;
            if (result == STEPPER_DONE && steps && look_around(t, leg, &counted))
                return LEG_HIT;
        } else if (steps || counted) {
            result = stepper_step(&t->stepper);
            if (result == STEPPER_DONE && look_around(t, leg, &counted))
                return LEG_HIT;
        } else {
            result = stepper_run(&t->stepper, t->plan.address, dr7);
            if (result == STEPPER_DEBUG && count_register(t, leg, &counted))
                return LEG_HIT;
            begun = result == STEPPER_DEBUG;
            counted = counted && result == STEPPER_DEBUG;
            if (result == STEPPER_DEBUG)
                continue;
            if (result == STEPPER_DONE && leg->looks && was_input(vcpu->cpu.run)) {
                const struct gdb_breakpoint *b;

                result = stepper_begin(&t->stepper); /* KVM writes it, and no register sees that */
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
    return vcpu->recorded == leg->exits ? walk_leg(t, leg) : LEG_LOST;
}

bool leg_travel(struct travel *t, int from, struct leg *leg, enum leg_result wanted)
{
    return leg_start(t, from) && leg_run(t, leg) == wanted;
}
