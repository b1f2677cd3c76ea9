/* The scheduler; see sched.h. */
#include "vm/sched.h"

#include "cpu/feature.h"
#include "cpu/firmware.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/serial.h"
#include "lib/lock.h"
#include "vm/queue.h"

static struct lock lock;         /* guards what follows, and tasks */
static uint64_t least;           /* the lowest charge of tasks that want to run; never falls */
static unsigned wanting;         /* tasks that want a hart */
static unsigned bound[CPUS_MAX]; /* of these, tasks allowed on only this hart */
static unsigned loose;           /* of these, tasks allowed on several but not all harts */
static uint32_t crowded;

static struct hart *own(void)
{
    return &queue_harts[cpu_self()->index];
}

static void arm_timer(const struct hart *h)
{
    uint64_t when = serial_next_poll();

    if (h->current != NULL)
        when = min64(when, min64(h->slice_end, h->current->deadline));
    /* QEMU 7.2 can lose a vCPU's timer interrupt until the next exit, if it comes while the hart
     * enters the guest. A guest that only waits for its timer has no exit, so the hart's own timer
     * forces one, at most a second after it was set. */
    if (h->current != NULL && features.sstc)
        when = min64(when, hyp_time() + machine.timebase);
    if (h->sleepers != NULL)
        when = min64(when, h->sleepers->wake_at);
    if (features.host_sstc)
        csr_write(CSR_STIMECMP, when);
    else
        firmware_set_timer(when);
}

/* ---- Charges; the lock is held ---- */

static void charge(struct hart *h)
{
    uint64_t now = hyp_time(), ticks = now - h->since;
    struct task *t = h->current, *payer = t->payer;

    h->since = now;
    t->charged += queue_by_weight(t, ticks);
    if (payer == NULL)
        return;
    payer->charged += queue_by_weight(payer, ticks);
    if (payer->state == TASK_READY && !payer->held) { /* its order in the queue has changed */
        queue_unlink(&queue_harts[payer->home].queue, payer);
        queue_put(&queue_harts[payer->home], payer);
    }
}

/* Updates `least`, to which the charge of a woken task is compared. */
static void find_least(void)
{
    uint64_t found = ~0ul;

    for (unsigned i = 0; i < cpu_count; i++) {
        struct hart *h = &queue_harts[i];

        if (h->current != NULL) {
            charge(h);
            found = min64(found, h->current->charged);
        }
        for (const struct task *t = h->queue; t != NULL; t = t->next)
            found = min64(found, t->charged); /* urgent tasks are not in order */
    }
    if (found != ~0ul && found > least)
        least = found;
}

static bool harts_are_scarce(void)
{
    unsigned online = 0, single = 0;

    for (unsigned i = 0; i < cpu_count; i++) {
        online += cpus[i].online;
        single += bound[i];
        if (bound[i] > 1)
            return true;
    }
    /* Does not check whether the harts that some tasks are limited to are busy. */
    return wanting > online || (wanting > 1 && (loose > 0 || (single > 0 && single < wanting)));
}

/* Adds a task to the count of those that want a hart, or removes it. */
static void count(struct task *t)
{
    bool wants = t->ops->waits_in_guest && t->state != TASK_STOPPED && !t->held;
    unsigned *pinned;
    bool was = crowded, is;

    if (wants == t->counted)
        return;
    t->counted = wants;
    wanting += wants ? 1 : -1u;
    pinned = (t->harts & (t->harts - 1)) == 0 ? &bound[lowest_bit(t->harts)] : &loose;
    if (t->harts != ~0u)
        *pinned += wants ? 1 : -1u;
    is = harts_are_scarce();
    __atomic_store_n(&crowded, is, __ATOMIC_RELAXED);
    /* Guests that wait (WFI) on their harts must exit now: other tasks want harts. */
    for (unsigned i = 0; is && !was && i < cpu_count; i++)
        if (queue_harts[i].current != NULL)
            cpu_kick(&cpus[i]);
}

bool sched_is_crowded(void)
{
    return __atomic_load_n(&crowded, __ATOMIC_RELAXED) != 0;
}

/* Time slices end only while other tasks wait. */
static void make_slices_end(void)
{
    for (unsigned i = 0; i < cpu_count; i++) {
        struct hart *h = &queue_harts[i];

        if (h->current == NULL || h->slice_end != ~0ul)
            continue;
        h->slice_end = h->since + queue_turn(h->current);
        if (h == own())
            arm_timer(h);
        cpu_kick(&cpus[h - queue_harts]);
    }
}

static void enqueue(struct hart *h, struct task *t)
{
    t->state = TASK_READY;
    t->ready_since = hyp_time();
    if (t->held)
        return; /* sched_release() does it */
    queue_put(h, t);
    queue_waiting++;
    if (h->idle)
        cpu_kick(&cpus[h - queue_harts]);
    else
        make_slices_end();
    h->idle = false;
}

/* `slept`: the task has waited for something, and is not new. */
static void wake(struct task *t, bool slept)
{
    uint64_t bonus = slept ? queue_by_weight(t, queue_slice()) : 0;
    struct hart *h;

    queue_unlink(&queue_harts[t->home].sleepers, t);
    find_least();
    if (least > bonus && t->charged < least - bonus)
        t->charged = least - bonus;
    t->urgent = slept && t->charged <= least + queue_by_weight(t, queue_slice());
    h = queue_choose_hart(t);
    enqueue(h, t);
    if (h->current == NULL || t->held ||
        !queue_runs_before(t, h->current, queue_slice() / QUEUE_MARGINS))
        return;
    h->give_way = true;
    cpu_kick(&cpus[h - queue_harts]);
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

void sched_bind(struct task *t, unsigned hart)
{
    LOCK_FOR_BLOCK(&lock);

    t->harts = 1u << hart;
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
            queue_leave(t);
        else if (t->state == TASK_BLOCKED)
            queue_unlink(&queue_harts[t->home].sleepers, t);
        else if (t->cpu != NULL)
            cpu_kick(t->cpu);
        /* The task may be freed before a hart reads its favoured task. */
        for (unsigned i = 0; i < cpu_count; i++)
            if (queue_harts[i].favoured == t)
                queue_harts[i].favoured = NULL;
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
            t->state = TASK_BLOCKED; /* in no queue yet: see charge() */
        if (t->state == TASK_BLOCKED && wakes)
            wake(t, false);
        else if (t->state == TASK_BLOCKED)
            queue_put_to_sleep(&queue_harts[t->home], t);
        count(t);
        cpu_kick(&cpus[t->home]); /* it may need an earlier timer */
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

void sched_yield(void)
{
    struct hart *h = own();
    LOCK_FOR_BLOCK(&lock);

    h->favoured = queue_find_favoured(h);
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
        best = queue_waiting > 0 ? queue_best_for(h) : NULL;
        if (best != NULL && queue_runs_before(best, h->current, 0))
            h->give_way = true;
        h->slice_end = queue_waiting > 0 ? now + queue_slice() : ~0ul;
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
    if (t == NULL || t->state != TASK_READY || !queue_may_run_on(t, cpu_self()->index))
        t = queue_best_for(h);
    h->favoured = NULL;
    h->give_way = false;
    h->intent = KEEP;
    h->idle = t == NULL;
    h->current = t;
    if (t != NULL) {
        queue_leave(t);
        t->state = TASK_RUNNING;
        t->waited += now - t->ready_since;
        __atomic_store_n(&t->cpu, cpu_self(), __ATOMIC_SEQ_CST); /* pairs with sbi/remote.c */
        h->since = now;
        h->slice_end = queue_waiting > 0 ? now + queue_turn(t) : ~0ul;
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
            queue_put_to_sleep(h, t);
    } else {
        enqueue(queue_may_run_on(t, (unsigned)(h - queue_harts)) ? h : queue_choose_hart(t), t);
    }
}
