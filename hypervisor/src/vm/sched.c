/* The scheduler; see sched.h. */
#include "vm/sched.h"

#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/serial.h"
#include "lib/lock.h"

enum { SLICES_PER_SECOND = 250, MARGINS_PER_SLICE = 16 };

/* What the task on a hart does next; written by its own hart alone. */
enum intent { KEEP, YIELD, BLOCK, RETIRE };

struct hart {
    struct task *queue;    /* ready: urgent ones, then the others; the least charged first */
    struct task *sleepers; /* blocked, the first to wake first */
    struct task *current;
    struct task *favoured; /* runs next, whatever it was charged */
    uint64_t since;        /* current is charged up to then */
    uint64_t slice_end;    /* host time; ~0: it may run on */
    bool idle, give_way;   /* the latter: another task should have the hart */
    enum intent intent;
};

static struct lock lock; /* guards what follows, and tasks */
static struct hart harts[CPUS_MAX];
static uint64_t least; /* no task that wants to run was charged less; never falls */
static unsigned wanting, pinned, waiting;
static uint32_t crowded;

static uint64_t slice(void)
{
    return machine.timebase / SLICES_PER_SECOND;
}

static struct hart *own(void)
{
    return &harts[cpu_self()->index];
}

static void arm_timer(const struct hart *h)
{
    uint64_t when = serial_next_poll();

    if (h->current != NULL)
        when = min64(when, min64(h->slice_end, h->current->deadline));
    if (h->sleepers != NULL)
        when = min64(when, h->sleepers->wake_at);
    if (features.host_sstc)
        csr_write(CSR_STIMECMP, when);
    else
        firmware_set_timer(when);
}

/* ---- Queues and lists; the lock is held ---- */

static void unlink(struct task **list, struct task *t)
{
    while (*list != NULL && *list != t)
        list = &(*list)->next;
    if (*list == t)
        *list = t->next;
}

/* Should `t` run before `other`, which was charged `lead` more at least? */
static bool runs_before(const struct task *t, const struct task *other, uint64_t lead)
{
    return t->urgent != other->urgent ? t->urgent : t->charged + lead < other->charged;
}

static void put_in_queue(struct hart *h, struct task *t)
{
    struct task **at = &h->queue;

    while (*at != NULL && !runs_before(t, *at, 0))
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    t->home = (unsigned)(h - harts);
}

static void put_to_sleep(struct hart *h, struct task *t)
{
    struct task **at = &h->sleepers;

    t->home = (unsigned)(h - harts);
    if (t->wake_at == ~0ul)
        return;
    while (*at != NULL && (*at)->wake_at <= t->wake_at)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
}

static void leave_queue(struct task *t)
{
    unlink(&harts[t->home].queue, t);
    waiting--;
}

/* ---- Charges; the lock is held ---- */

static uint64_t by_weight(const struct task *t, uint64_t ticks)
{
    return ticks * TASK_WEIGHT / t->weight;
}

static void charge(struct hart *h)
{
    uint64_t now = hyp_time(), ticks = now - h->since;
    struct task *t = h->current, *payer = t->payer;

    h->since = now;
    t->charged += by_weight(t, ticks);
    if (payer == NULL)
        return;
    payer->charged += by_weight(payer, ticks);
    if (payer->state == TASK_READY && !payer->held) { /* its place in the queue has changed */
        unlink(&harts[payer->home].queue, payer);
        put_in_queue(&harts[payer->home], payer);
    }
}

/* What a task that comes to want a hart is compared with. */
static void find_least(void)
{
    uint64_t found = ~0ul;

    for (unsigned i = 0; i < cpu_count; i++) {
        struct hart *h = &harts[i];

        if (h->current != NULL) {
            charge(h);
            found = min64(found, h->current->charged);
        }
        for (const struct task *t = h->queue; t != NULL; t = t->next)
            found = min64(found, t->charged); /* urgent ones are not sorted in */
    }
    if (found != ~0ul && found > least)
        least = found;
}

/* Counts a task among those that want a hart, or no more. */
static void count(struct task *t)
{
    bool wants = t->ops->waits_in_guest && t->state != TASK_STOPPED && !t->held;
    unsigned online = 0;
    bool was = crowded, is;

    if (wants == t->counted)
        return;
    t->counted = wants;
    wanting += wants ? 1 : -1u;
    if (t->harts != ~0u)
        pinned += wants ? 1 : -1u;
    for (unsigned i = 0; i < cpu_count; i++)
        online += cpus[i].online;
    is = wanting > online || (pinned > 0 && wanting > 1);
    __atomic_store_n(&crowded, is, __ATOMIC_RELAXED);
    /* Guests that wait on their harts must learn that they may not. */
    for (unsigned i = 0; is && !was && i < cpu_count; i++)
        if (harts[i].current != NULL)
            cpu_kick(&cpus[i]);
}

bool sched_is_crowded(void)
{
    return __atomic_load_n(&crowded, __ATOMIC_RELAXED) != 0;
}

static bool may_run_on(const struct task *t, unsigned hart)
{
    return cpus[hart].online && (t->harts >> hart & 1) != 0;
}

/* The hart for it: the one it was on where that is idle, any idle one, the one whose task was
 * charged most. */
static struct hart *choose_hart(const struct task *t)
{
    struct hart *best = NULL;

    if (t->last_cpu != NULL && may_run_on(t, t->last_cpu->index))
        best = &harts[t->last_cpu->index];
    for (unsigned i = 0; i < cpu_count && (best == NULL || !best->idle); i++) {
        struct hart *h = &harts[i];

        if (!may_run_on(t, i))
            continue;
        if (best == NULL || h->idle ||
            (h->current != NULL && best->current != NULL &&
             h->current->charged > best->current->charged + slice()))
            best = h;
    }
    return best != NULL ? best : &harts[0];
}

/* An urgent task is soon one like the others. */
static uint64_t turn(const struct task *t)
{
    return t->urgent ? slice() / MARGINS_PER_SLICE : slice();
}

/* Slices end only while somebody waits. */
static void make_slices_end(void)
{
    for (unsigned i = 0; i < cpu_count; i++) {
        struct hart *h = &harts[i];

        if (h->current == NULL || h->slice_end != ~0ul)
            continue;
        h->slice_end = h->since + turn(h->current);
        if (h == own())
            arm_timer(h);
        cpu_kick(&cpus[h - harts]);
    }
}

static void enqueue(struct hart *h, struct task *t)
{
    t->state = TASK_READY;
    t->ready_since = hyp_time();
    if (t->held)
        return; /* sched_release() will */
    put_in_queue(h, t);
    waiting++;
    if (h->idle)
        cpu_kick(&cpus[h - harts]);
    else
        make_slices_end();
    h->idle = false;
}

/* `slept`: it waited for something, and did not begin just now. */
static void wake(struct task *t, bool slept)
{
    uint64_t bonus = slept ? by_weight(t, slice()) : 0;
    struct hart *h;

    unlink(&harts[t->home].sleepers, t);
    find_least();
    if (least > bonus && t->charged < least - bonus)
        t->charged = least - bonus;
    t->urgent = slept && t->charged <= least + by_weight(t, slice());
    h = choose_hart(t);
    enqueue(h, t);
    if (h->current == NULL || t->held || !runs_before(t, h->current, slice() / MARGINS_PER_SLICE))
        return;
    h->give_way = true;
    cpu_kick(&cpus[h - harts]);
}

/* ---- From anywhere ---- */

void sched_init_task(struct task *t, const struct task_ops *ops, const void *group, unsigned weight,
                     uint32_t allowed)
{
    *t = (struct task){.ops = ops,
                       .group = group,
                       .weight = weight,
                       .harts = allowed,
                       .wake_at = ~0ul,
                       .deadline = ~0ul};
}

void sched_wake(struct task *t)
{
    uint64_t ignored;
    LOCK_FOR_BLOCK(&lock);

    if (t->state == TASK_BLOCKED && !t->held && t->ops->is_ready(t, &ignored))
        wake(t, true);
    else if (t->cpu != NULL)
        cpu_kick(t->cpu);
}

void sched_start(struct task *t)
{
    LOCK_FOR_BLOCK(&lock);

    if (t->state == TASK_STOPPED) {
        wake(t, false);
        count(t);
    }
}

void sched_hold(struct task *t)
{
    LOCK_FOR_BLOCK(&lock);

    if (!t->held) {
        if (t->state == TASK_READY)
            leave_queue(t);
        else if (t->state == TASK_BLOCKED)
            unlink(&harts[t->home].sleepers, t);
        else if (t->cpu != NULL)
            cpu_kick(t->cpu);
        __atomic_store_n(&t->held, true, __ATOMIC_RELEASE);
        count(t);
    }
}

void sched_release(struct task *t)
{
    bool wakes;
    LOCK_FOR_BLOCK(&lock);

    if (t->held) {
        __atomic_store_n(&t->held, false, __ATOMIC_RELEASE);
        wakes = t->state == TASK_READY || t->ops->is_ready(t, &t->wake_at);
        if (t->state == TASK_READY)
            t->state = TASK_BLOCKED; /* it is in no queue yet: see charge() */
        if (t->state == TASK_BLOCKED && wakes)
            wake(t, false);
        else if (t->state == TASK_BLOCKED)
            put_to_sleep(&harts[t->home], t);
        count(t);
        cpu_kick(&cpus[t->home]); /* its timer may have to come earlier */
    }
}

void sched_set_payer(struct task *t, struct task *payer)
{
    LOCK_FOR_BLOCK(&lock);

    t->payer = payer;
}

void sched_stop(struct task *t)
{
    LOCK_FOR_BLOCK(&lock);

    if (t->held && t->cpu == NULL)
        t->state = TASK_STOPPED;
    count(t);
}

enum task_state sched_state(const struct task *t)
{
    LOCK_FOR_BLOCK(&lock);

    return t->state;
}

/* ---- By the task on this hart ---- */

void sched_block(void)
{
    own()->intent = BLOCK;
}

void sched_retire(void)
{
    own()->intent = RETIRE;
}

/* One of its group that waits, may run here and is not far ahead; else what waits here. */
static struct task *find_favoured(const struct hart *h)
{
    const struct task *t = h->current;
    unsigned index = (unsigned)(h - harts);

    for (unsigned i = 0; i < cpu_count; i++)
        for (struct task *other = harts[i].queue; other != NULL; other = other->next)
            if (other->group == t->group && may_run_on(other, index) &&
                other->charged < t->charged + 2 * slice())
                return other;
    return h->queue;
}

void sched_yield(void)
{
    struct hart *h = own();
    LOCK_FOR_BLOCK(&lock);

    h->favoured = find_favoured(h);
    if (h->favoured != NULL)
        h->intent = YIELD;
}

void sched_set_deadline(struct task *t, uint64_t when)
{
    LOCK_FOR_BLOCK(&lock);

    t->deadline = when;
    if (t->cpu == cpu_self())
        arm_timer(own());
}

bool sched_goes_on(const struct task *t)
{
    const struct hart *h = own();

    return h->intent == KEEP && !__atomic_load_n(&h->give_way, __ATOMIC_RELAXED) &&
           !__atomic_load_n(&t->held, __ATOMIC_ACQUIRE);
}

/* ---- On the hart itself ---- */

/* The first in a queue that may run on this hart. */
static struct task *first_for(const struct hart *h, unsigned hart)
{
    struct task *t = h->queue;

    while (t != NULL && !may_run_on(t, hart))
        t = t->next;
    return t;
}

/* Who should run on this hart next: the first in its queue, unless one elsewhere has fallen far
 * behind it (and behind `current`, if there is one). */
static struct task *best_for(const struct hart *h)
{
    unsigned index = (unsigned)(h - harts);
    struct task *best = first_for(h, index);

    for (unsigned i = 0; i < cpu_count; i++) {
        struct task *t =
            &harts[i] != h && harts[i].queue != NULL ? first_for(&harts[i], index) : NULL;
        const struct task *rival = best != NULL ? best : h->current;

        if (t != NULL && (rival == NULL || runs_before(t, rival, 2 * slice())))
            best = t;
    }
    return best;
}

void sched_timer(void)
{
    struct hart *h = own();
    uint64_t now = hyp_time();
    LOCK_FOR_BLOCK(&lock);

    while (h->sleepers != NULL && h->sleepers->wake_at <= now)
        wake(h->sleepers, true);
    if (h->current != NULL && h->slice_end <= now) {
        const struct task *best;

        charge(h);
        h->current->urgent = false;
        best = waiting > 0 ? best_for(h) : NULL;
        if (best != NULL && runs_before(best, h->current, 0))
            h->give_way = true;
        h->slice_end = waiting > 0 ? now + slice() : ~0ul;
    }
    arm_timer(h);
}

struct task *sched_take(void)
{
    struct hart *h = own();
    struct task *t;
    uint64_t now;
    LOCK_FOR_BLOCK(&lock);

    now = hyp_time();
    while (h->sleepers != NULL && h->sleepers->wake_at <= now)
        wake(h->sleepers, true);
    t = h->favoured;
    if (t == NULL || t->state != TASK_READY || t->held || !may_run_on(t, cpu_self()->index))
        t = best_for(h);
    h->favoured = NULL;
    h->give_way = false;
    h->intent = KEEP;
    h->idle = t == NULL;
    h->current = t;
    if (t != NULL) {
        leave_queue(t);
        t->state = TASK_RUNNING;
        t->waited += now - t->ready_since;
        __atomic_store_n(&t->cpu, cpu_self(), __ATOMIC_SEQ_CST); /* pairs with sbi/remote.c */
        h->since = now;
        h->slice_end = waiting > 0 ? now + turn(t) : ~0ul;
    }
    arm_timer(h);
    return t;
}

void sched_leave(struct task *t)
{
    struct hart *h = own();
    LOCK_FOR_BLOCK(&lock);

    charge(h);
    h->current = NULL;
    t->urgent = false;
    t->last_cpu = t->cpu;
    __atomic_store_n(&t->cpu, NULL, __ATOMIC_SEQ_CST);
    if (h->intent == RETIRE) {
        t->state = TASK_STOPPED;
        count(t);
    } else if (h->intent == BLOCK && !t->ops->is_ready(t, &t->wake_at)) {
        t->state = TASK_BLOCKED;
        if (!t->held)
            put_to_sleep(h, t);
    } else {
        enqueue(may_run_on(t, (unsigned)(h - harts)) ? h : choose_hart(t), t);
    }
}
