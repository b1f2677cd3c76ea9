/* The harts' queues; see queue.h. */
#include "vm/queue.h"

#include "host/machine.h"

enum { SLICES_PER_SECOND = 250 };

struct hart queue_harts[CPUS_MAX];
unsigned queue_waiting;

uint64_t queue_slice(void)
{
    return machine.timebase / SLICES_PER_SECOND;
}

void queue_unlink(struct task **list, struct task *t)
{
    while (*list != NULL && *list != t)
        list = &(*list)->next;
    if (*list == t)
        *list = t->next;
}

bool queue_runs_before(const struct task *t, const struct task *other, uint64_t lead)
{
    return t->urgent != other->urgent ? t->urgent : t->charged + lead < other->charged;
}

void queue_put(struct hart *h, struct task *t)
{
    struct task **at = &h->queue;

    while (*at != NULL && !queue_runs_before(t, *at, 0))
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    t->home = (unsigned)(h - queue_harts);
}

void queue_put_to_sleep(struct hart *h, struct task *t)
{
    struct task **at = &h->sleepers;

    t->home = (unsigned)(h - queue_harts);
    if (t->wake_at == ~0ul)
        return;
    while (*at != NULL && (*at)->wake_at <= t->wake_at)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
}

void queue_leave(struct task *t)
{
    queue_unlink(&queue_harts[t->home].queue, t);
    queue_waiting--;
}

uint64_t queue_by_weight(const struct task *t, uint64_t ticks)
{
    return ticks * TASK_WEIGHT / t->weight;
}

bool queue_may_run_on(const struct task *t, unsigned hart)
{
    return cpus[hart].online && (t->harts >> hart & 1) != 0;
}

struct hart *queue_choose_hart(const struct task *t)
{
    struct hart *best = NULL;

    if (t->last_cpu != NULL && queue_may_run_on(t, t->last_cpu->index))
        best = &queue_harts[t->last_cpu->index];
    for (unsigned i = 0; i < cpu_count && (best == NULL || !best->idle); i++) {
        struct hart *h = &queue_harts[i];

        if (!queue_may_run_on(t, i))
            continue;
        if (best == NULL || h->idle ||
            (h->current != NULL && best->current != NULL &&
             h->current->charged > best->current->charged + queue_slice()))
            best = h;
    }
    return best != NULL ? best : &queue_harts[0];
}

uint64_t queue_turn(const struct task *t)
{
    return t->urgent ? queue_slice() / QUEUE_MARGINS : queue_slice();
}

struct task *queue_find_favoured(const struct hart *h)
{
    const struct task *t = h->current;
    unsigned index = (unsigned)(h - queue_harts);

    for (unsigned i = 0; i < cpu_count; i++)
        for (struct task *other = queue_harts[i].queue; other != NULL; other = other->next)
            if (other->group == t->group && queue_may_run_on(other, index) &&
                other->charged < t->charged + 2 * queue_slice())
                return other;
    return h->queue;
}

/* The first task in a queue that may run on this hart. */
static struct task *first_for(const struct hart *h, unsigned hart)
{
    struct task *t = h->queue;

    while (t != NULL && !queue_may_run_on(t, hart))
        t = t->next;
    return t;
}

struct task *queue_best_for(const struct hart *h)
{
    unsigned index = (unsigned)(h - queue_harts);
    struct task *best = first_for(h, index);

    for (unsigned i = 0; i < cpu_count; i++) {
        struct task *t = &queue_harts[i] != h && queue_harts[i].queue != NULL
                             ? first_for(&queue_harts[i], index)
                             : NULL;
        const struct task *rival = best != NULL ? best : h->current;

        if (t != NULL && (rival == NULL || queue_runs_before(t, rival, 2 * queue_slice())))
            best = t;
    }
    return best;
}
