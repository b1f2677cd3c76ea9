/* Work in steps; see steps.h. */
#include "vm/steps.h"

#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/serial.h"

static struct steps *steps_of(struct task *task)
{
    return (struct steps *)((char *)task - offsetof(struct steps, task));
}

bool steps_are_active(const struct steps *s)
{
    return __atomic_load_n(&s->active, __ATOMIC_ACQUIRE); /* pairs with steps_begin() and _end() */
}

static void run(struct task *task)
{
    const struct steps *s = steps_of(task);

    do {
        if (steps_are_active(s))
            s->step();
        else
            sched_block();
        cpu_serve_interrupts();
        serial_deliver();
    } while (sched_goes_on(task));
}

static bool is_ready(struct task *task, uint64_t *wake_at)
{
    const struct steps *s = steps_of(task);
    bool active = steps_are_active(s);

    *wake_at = active ? s->look_at : ~0ul;
    return active && (s->look_at <= hyp_time() || (s->has_input != NULL && s->has_input()));
}

static const struct task_ops ops = {.run = run, .is_ready = is_ready};

void steps_begin(struct steps *s, void (*step)(void))
{
    if (s->task.ops == NULL) {
        sched_init_task(&s->task, &ops, s, TASK_WEIGHT, ~0u);
        s->task.state = TASK_BLOCKED;
    }
    s->step = step;
    s->look_at = 0;
    __atomic_store_n(&s->active, true, __ATOMIC_RELEASE);
    sched_wake(&s->task);
}

void steps_rouse(struct steps *s)
{
    if (steps_are_active(s)) /* else its task may not exist yet */
        sched_wake(&s->task);
}

void steps_wait(struct steps *s, unsigned per_second)
{
    s->look_at = per_second > 0 ? hyp_time() + machine.timebase / per_second : ~0ul;
    sched_block();
}

void steps_end(struct steps *s)
{
    __atomic_store_n(&s->active, false, __ATOMIC_RELEASE);
}
