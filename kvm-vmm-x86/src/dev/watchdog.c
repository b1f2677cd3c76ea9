/* The watchdog; see watchdog.h. */
#include "dev/watchdog.h"

#include <stdio.h>
#include <string.h>

#define TICK (UINT64_C(1000000) * WATCHDOG_TICK_MS)

/* The timeout of a guest that sets none: 30 s. */
enum { TICKS_DEFAULT = 300 };

static uint64_t now(const struct watchdog *w)
{
    return w->backend->now != NULL ? w->backend->now() : 0;
}

static uint64_t left_locked(const struct watchdog *w)
{
    uint64_t at = now(w);

    if (w->quiet)
        return w->state.left;
    return w->end > at ? w->end - at : 0;
}

static void feed_locked(struct watchdog *w)
{
    w->state.left = w->state.period * TICK;
    w->end = now(w) + w->state.left;
}

static uint32_t read_locked(const struct watchdog *w, uint64_t offset)
{
    switch (offset) {
    case WATCHDOG_PERIOD:
        return w->state.period;
    case WATCHDOG_COUNT:
        return w->state.running ? (uint32_t)((left_locked(w) + TICK - 1) / TICK) : w->state.period;
    case WATCHDOG_RUNNING:
        return w->state.running;
    default:
        return 0;
    }
}

static void write_locked(struct watchdog *w, uint64_t offset, uint32_t value)
{
    if (offset == WATCHDOG_PERIOD)
        w->state.period = value < WATCHDOG_TICKS_MIN   ? WATCHDOG_TICKS_MIN
                          : value > WATCHDOG_TICKS_MAX ? WATCHDOG_TICKS_MAX
                                                       : value;
    if (offset == WATCHDOG_RUNNING)
        w->state.running = value & 1;
    if (offset != WATCHDOG_COUNT)
        feed_locked(w);
}

static enum verdict watchdog_access(void *device, struct bus_access *access)
{
    struct watchdog *w = device;
    uint32_t value = 0;
    bool whole = access->size == sizeof value && access->offset % sizeof value == 0;

    lock_take(&w->lock);
    if (access->write) {
        memcpy(&value, access->data, access->size);
        if (whole)
            write_locked(w, access->offset, value);
    } else {
        value = whole ? read_locked(w, access->offset) : 0;
        memcpy(access->data, &value, access->size);
    }
    lock_release(&w->lock);
    if (access->write)
        w->backend->alarm(w->backend->context);
    return VERDICT_RESUME;
}

static uint64_t due_locked(const struct watchdog *w)
{
    return w->state.running && !w->quiet && w->backend->now != NULL ? left_locked(w)
                                                                    : WATCHDOG_NEVER;
}

uint64_t watchdog_due(struct watchdog *w)
{
    LOCK_FOR_BLOCK(&w->lock);

    return due_locked(w);
}

void watchdog_look(struct watchdog *w)
{
    const struct backend *b = w->backend;
    char text[96];
    bool over;

    lock_take(&w->lock);
    over = due_locked(w) == 0;
    if (over)
        w->state.running = 0;
    snprintf(text, sizeof text, "its watchdog expired: it was not fed for %.1f s",
             w->state.period * (WATCHDOG_TICK_MS / 1000.0));
    lock_release(&w->lock);
    if (!over)
        return;
    if (w->action == WATCHDOG_STOP) {
        b->end(b->context, END_CRASH, 0, text);
        return;
    }
    b->say(b->context, text);
    b->end(b->context, w->action == WATCHDOG_OFF ? END_EXIT : END_RESET, 0, NULL);
}

static bool watchdog_quiesce(void *device)
{
    struct watchdog *w = device;

    lock_take(&w->lock);
    w->state.left = left_locked(w);
    w->quiet = true;
    lock_release(&w->lock);
    return true;
}

static void watchdog_resume(void *device)
{
    struct watchdog *w = device;

    lock_take(&w->lock);
    if (w->quiet) /* called for each vCPU that resumes; only the first restarts the time */
        w->end = now(w) + w->state.left;
    w->quiet = false;
    lock_release(&w->lock);
    w->backend->alarm(w->backend->context);
}

static bool is_sound(const void *saved)
{
    struct watchdog_state s;

    memcpy(&s, saved, sizeof s);
    return s.running <= 1 && s.period >= WATCHDOG_TICKS_MIN && s.period <= WATCHDOG_TICKS_MAX &&
           s.left <= s.period * TICK;
}

static void told(void *device)
{
    struct watchdog *w = device;

    w->end = now(w) + w->state.left;
    w->backend->alarm(w->backend->context);
}

static const struct watchdog_state at_power_on = {.period = TICKS_DEFAULT};

static const struct bus_state state = {.version = 1,
                                       BUS_STATE_OF(struct watchdog),
                                       .at_power_on = &at_power_on,
                                       .is_sound = is_sound,
                                       .told = told};

static const char *const names[] = {"period", "count", "feed", "running"};
static const struct bus_registers registers = {
    .read = BUS_NAMES(names), .written = BUS_NAMES(names), .stride = 4};

const struct bus_ops watchdog_ops = {.name = "watchdog",
                                     .registers = &registers,
                                     .width = 4,
                                     .access = watchdog_access,
                                     .state = &state,
                                     .quiesce = watchdog_quiesce,
                                     .resume = watchdog_resume};

void watchdog_init(struct watchdog *w, const struct backend *backend, enum watchdog_action action)
{
    *w = (struct watchdog){.backend = backend, .action = action, .state = at_power_on};
    lock_init(&w->lock);
}
