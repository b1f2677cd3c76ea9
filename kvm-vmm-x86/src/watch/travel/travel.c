/* Going back in time; see travel.h. */
#include "watch/travel/travel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/events.h"
#include "host/kvm/debug.h"
#include "vm/deck.h"
#include "vm/ticks.h"
#include "watch/explain/guest_image.h"
#include "watch/explain/walk.h"
#include "watch/travel/leg.h"
#include "watch/travel/recorder.h"

#define MS   UINT64_C(1000000)
#define LOOK (1000 * MS)

enum { APART_MS = 500, LIMIT_MS = 600000 };

static const char lost[] = "the guest did something else when its run was repeated: it depends on "
                           "more than its recorded input (rdtsc, KVM's own timers)";

struct travel *travel_make(struct vm *vm, const struct probe_debug *features, const char **why)
{
    struct travel *t;

    *why = recorder_refuses(vm);
    if (*why == NULL && vm->ram_size > CHECKPOINTS_BYTES_MAX)
        *why = "it has more than 512 MB of memory"; /* the first checkpoint reads all of it */
    if (*why == NULL && vm->vcpus[0].deck == NULL)
        *why = "its input was not recorded";
    if (*why != NULL)
        return NULL;
    t = calloc(1, sizeof *t);
    if (t == NULL) {
        *why = "out of memory";
        return NULL;
    }
    t->vm = vm;
    lock_init(&t->stopping);
    t->features = *features;
    t->live = vm->vcpus[0].deck->mode;
    return t;
}

void travel_free(struct travel *t)
{
    if (t == NULL)
        return;
    checkpoints_end(&t->points);
    free(t);
}

static struct deck *deck_of(const struct travel *t)
{
    return t->vm->vcpus[0].deck;
}

bool travel_is_due(const struct travel *t)
{
    return t->points.begun && !deck_of(t)->silent && events_now() - t->looked > APART_MS * MS;
}

void travel_look(struct travel *t)
{
    struct error ignored;

    if (!t->points.begun) {
        t->looked = events_now();
        (void)!checkpoints_begin(&t->points, t->vm, &ignored);
    } else if (travel_is_due(t)) {
        checkpoints_thin(&t->points);
        (void)!checkpoints_take(&t->points, &ignored);
        t->looked = events_now();
    }
}

void travel_forget(struct travel *t)
{
    struct deck *d = deck_of(t);

    checkpoints_end(&t->points);
    if (t->live == DECK_RECORD && d->mode == DECK_PLAY)
        tape_cut(&d->tape, &d->place);
    if (recorder_is_wanted())
        d->tape.full = true; /* a replay, without the debugger, would not get here */
    d->mode = t->live;
    d->silent = false;
}

/* The latest checkpoint that is certainly before `exits` exits, or the first. */
static int before(const struct travel *t, uint64_t exits)
{
    const struct checkpoint *list = t->points.list;
    int best = 0;

    for (int i = 1; i < CHECKPOINTS_MAX; i++)
        if (list[i].used && list[i].exits < exits && !list[i].crash &&
            list[i].exits >= list[best].exits)
            best = i;
    return best;
}

/* Goes to `steps` instructions after an exit. */
static bool arrive(struct travel *t, uint64_t exits, uint64_t steps)
{
    struct leg leg = {.exits = exits, .until = -1, .steps_max = steps};

    return leg_travel(t, before(t, exits), &leg, LEG_THERE) && leg.steps == steps && !leg.at_exit;
}

static bool at_begin(struct travel *t)
{
    t->stop = (struct gdb_stop){.reason = GDB_BEGIN};
    return leg_start(t, 0);
}

/* Goes to one instruction before a checkpoint. */
static bool step_back(struct travel *t, int now)
{
    uint64_t exits = t->points.list[now].exits, first = t->points.list[0].exits;
    struct leg leg = {.exits = exits, .until = now, .steps_max = LEG_NO_LIMIT};

    if (!leg_travel(t, before(t, exits), &leg, LEG_THERE))
        return false;
    if (leg.steps > 0)
        return arrive(t, exits, leg.steps - (t->points.list[now].at_exit ? 0 : 1));
    if (t->points.list[now].at_exit && !leg.at_exit)
        return arrive(t, exits, 0);
    do { /* after an exit: goes before the instruction that caused it */
        if (exits == first)
            return at_begin(t);
        exits--;
        leg = (struct leg){.exits = exits, .until = -1, .steps_max = LEG_NO_LIMIT};
        if (!leg_travel(t, before(t, exits), &leg, LEG_THERE))
            return false;
    } while (leg.at_exit && leg.steps == 0);
    return arrive(t, exits, leg.steps);
}

/* Goes to the last hit before `now`. 1: there, described by `leg`; 0: no hit; -1: failed. */
static int last_hit(struct travel *t, int now, struct leg *leg)
{
    int until = now, from = before(t, t->points.list[now].exits);
    enum leg_result result;

    for (;;) {
        *leg = (struct leg){.exits = t->points.list[until].exits,
                            .until = until,
                            .steps_max = LEG_NO_LIMIT,
                            .looks = true};
        result = leg_start(t, from) ? leg_run(t, leg) : LEG_LOST;
        if (result == LEG_MISSED && !t->stops.plan.steps) {
            t->stops.plan.steps = true;
            continue;
        }
        if (result != LEG_THERE)
            return -1;
        if (leg->hits > 0) {
            leg->hits_max = leg->hits;
            leg->hits = 0;
            return leg_travel(t, from, leg, LEG_HIT) ? 1 : -1;
        }
        if (from == 0)
            return 0;
        until = from;
        from = before(t, t->points.list[until].exits);
    }
}

/* A write is detected after it is done, so this goes one instruction back. */
static bool before_write(struct travel *t)
{
    struct error error;
    int here = checkpoints_take(&t->points, &error);
    bool good = here > 0 && step_back(t, here);

    if (here > 0)
        checkpoints_drop(&t->points, here);
    return good;
}

static bool continue_back(struct travel *t, int now)
{
    struct leg leg;
    int found = last_hit(t, now, &leg);

    if (found <= 0)
        return found == 0 && at_begin(t);
    t->stop = leg.hit;
    return leg.hit.reason != GDB_WATCH || before_write(t);
}

/* From here on only a stop that leaves the guest counts. False: there was one. */
static bool begin_return(struct travel *t)
{
    LOCK_FOR_BLOCK(&t->stopping);

    t->returning = true;
    if (!t->leaves)
        __atomic_store_n(&t->worker.stop, 0, __ATOMIC_RELAXED);
    return !t->leaves;
}

/* Returns to where the guest was. The state of a crash cannot be loaded: the guest runs there
 * again. */
static bool go_home(struct travel *t, int now)
{
    const struct checkpoint *p = &t->points.list[now];
    struct leg leg = {.exits = p->exits, .until = now, .steps_max = LEG_NO_LIMIT};

    if (!begin_return(t))
        return true;
    worker_limit(&t->worker, LIMIT_MS);
    if (!p->crash)
        return leg_start(t, now);
    if (!leg_travel(t, before(t, p->exits), &leg, LEG_THERE))
        return false;
    pause_keep_exit(&t->vm->vcpus[0]);
    return true;
}

static uint64_t value_at(const struct travel *t, const struct gdb_breakpoint *b)
{
    uint64_t value = 0;

    (void)!memory_read(&t->vm->memory, b->place, &value, b->length < 8 ? b->length : 8);
    return value;
}

static bool who(struct travel *t, int now)
{
    const struct gdb_breakpoint *b = &t->stops.table.list[0];
    const struct symbols *names = guest_image_symbols(t->vm);
    uint64_t old, new;
    struct snapshot s;
    struct leg leg;
    int found = last_hit(t, now, &leg);

    if (found == 0)
        snprintf(t->text, sizeof t->text,
                 "no instruction has written there since the first stop\n");
    if (found <= 0)
        return found == 0;
    new = value_at(t, b);
    if (!before_write(t))
        return false;
    old = value_at(t, b);
    s = stepper_state(&t->stepper);
    snprintf(t->text, sizeof t->text,
             "%#lx was written last at %s, after exit %lu and %lu instructions: %#lx -> %#lx\n",
             b->address, symbols_words(names, snapshot_linear_rip(&s)).text,
             t->vm->vcpus[0].recorded, t->stepper.steps, old, new);
    return true;
}

/* Sets the mode from here on: what follows has happened before, or is new. */
static void settle(struct travel *t)
{
    struct vcpu *vcpu = &t->vm->vcpus[0];
    struct deck *d = vcpu->deck;
    bool past = vcpu->recorded < t->furthest;

    d->led = false;
    d->silent = past;
    d->furthest = t->furthest;
    d->live = t->live;
    d->mode = t->live == DECK_REPLAY ? DECK_REPLAY : DECK_PLAY;
    if (!past && t->live == DECK_RECORD &&
        tape_next(&d->tape, &d->place, vcpu->recorded) == TAPE_NOTHING &&
        d->place.at == d->tape.used)
        d->mode = DECK_RECORD;
}

/* Returns to where the guest was; if that fails, the guest is in the middle of the search, and is
 * ended. The user's text, which is about the search, is kept. */
static void return_or_end(struct travel *t, int now)
{
    char kept[sizeof t->text];
    const char *why = lost;

    memcpy(kept, t->text, sizeof kept);
    t->text[0] = '\0';
    if (!go_home(t, now)) {
        if (t->text[0] != '\0')
            why = t->text;
        else if (worker_must_stop(&t->worker))
            why = "the way back took longer than 10 minutes";
        vm_silence(false);
        vm_stop(t->vm, END_FAILED, 0, "its state before the search cannot be restored: %.*s",
                (int)strcspn(why, "\n"), why);
    }
    memcpy(t->text, kept, sizeof kept);
}

static void work(struct worker *worker)
{
    struct travel *t = worker->context;
    struct vcpu *vcpu = &t->vm->vcpus[0];
    const struct vcpu_stats stats = vcpu->stats; /* repeated exits do not count */
    struct deck *d = vcpu->deck;
    struct error error;
    bool good = false;
    int now;

    worker_limit(worker, LIMIT_MS);
    t->text[0] = '\0';
    t->stop = (struct gdb_stop){.reason = GDB_STEPPED};
    now = t->points.begun ? checkpoints_take(&t->points, &error) : -1;
    if (now < 0) {
        snprintf(t->text, sizeof t->text, "cannot run backwards from here: %.300s\n",
                 t->points.begun ? error.text : "no checkpoint could be taken");
        t->stop.reason = GDB_STOPPED;
        t->done(t->context);
        return;
    }
    if (!d->silent) {
        t->furthest = vcpu->recorded;
        if (t->live == DECK_RECORD)
            tape_reach(&d->tape, vcpu->recorded);
    }
    d->silent = d->led = true;
    deck_attach(vcpu);
    good = t->kind == TRAVEL_STEP       ? step_back(t, now)
           : t->kind == TRAVEL_CONTINUE ? continue_back(t, now)
                                        : who(t, now);
    if (!good && t->text[0] == '\0')
        snprintf(t->text, sizeof t->text, "%s\n",
                 __atomic_load_n(&worker->stop, __ATOMIC_RELAXED) ? "the search was stopped"
                 : worker_must_stop(worker) ? "the search took longer than 10 minutes"
                                            : lost);
    if (!good || t->kind == TRAVEL_WHO) {
        t->stop.reason = GDB_STOPPED;
        return_or_end(t, now);
    }
    (void)!kvm_set_guest_debug(&vcpu->cpu, 0, (const uint64_t[4]){0}, 0);
    checkpoints_drop(&t->points, now);
    settle(t);
    vcpu->stats = stats;
    deck_attach(NULL);
    if (d->mode == DECK_RECORD) /* input that arrived meanwhile */
        ticks_input(t->vm);
    t->done(t->context);
}

/* The guest may make no exit any more. */
static void on_look(void *context)
{
    struct travel *t = context;

    if (worker_must_stop(&t->worker))
        thread_kick(&t->worker.thread);
    events_timer_start(&t->look, LOOK);
}

static void *run(void *argument)
{
    struct travel *t = argument;

    thread_name("guest%u/travel", t->vm->index);
    t->worker.work(&t->worker);
    return NULL;
}

int travel_start(struct travel *t, enum travel_kind kind, const struct gdb_breakpoints *table)
{
    struct error error;

    t->kind = kind;
    t->returning = false;
    stops_make(&t->stops, table, &t->features);
    t->worker = (struct worker){.work = work, .context = t, .deadline = UINT64_MAX};
    t->busy = thread_start(&t->worker.thread, run, t, &error) == 0;
    t->look = (struct event_timer){.expired = on_look, .context = t};
    if (t->busy)
        events_timer_start(&t->look, LOOK);
    return t->busy ? 0 : -1;
}

void travel_stop(struct travel *t, bool leaves)
{
    if (!t->busy)
        return;
    lock_take(&t->stopping);
    t->leaves |= leaves;
    if (t->leaves || !t->returning)
        __atomic_store_n(&t->worker.stop, 1, __ATOMIC_RELAXED);
    lock_release(&t->stopping);
    thread_kick(&t->worker.thread);
}

void travel_join(struct travel *t)
{
    if (!t->busy)
        return;
    thread_join(&t->worker.thread);
    events_timer_stop(&t->look);
    t->busy = false;
}
