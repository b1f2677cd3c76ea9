/* Explains a fault in one line, from registers and memory; see diagnose.h. */
#include "watch/explain/diagnose.h"

#include <string.h>

static void add(struct diagnosis *d, const struct exception *e)
{
    d->chain[d->count++] = *e;
}

/* Each exception that cannot be delivered raises the next (SDM volume 3, table 6-5). */
static void follow(struct diagnosis *d, const struct snapshot *s)
{
    while (d->count < CHAIN_MAX && !d->shutdown) {
        const struct exception *e = &d->chain[d->count - 1];
        struct delivery *delivery = &d->deliveries[d->count - 1];
        struct exception next = {.vector = EXCEPTION_DF};

        *delivery = deliver_exception(s, e);
        if (delivery->possible || delivery->failed.vector == EXCEPTION_NONE)
            return;
        switch (exception_pair(e->vector, delivery->failed.vector)) {
        case PAIR_SERIAL:
            add(d, &delivery->failed);
            break;
        case PAIR_DOUBLE:
            add(d, &next);
            break;
        case PAIR_SHUTDOWN:
            d->shutdown = true;
        }
    }
}

static void describe_recursion(struct text *line, const struct diagnosis *d)
{
    text_add(line, "; its handler at 0x%lx raises it again, until the stack is used up",
             d->deliveries[0].handler);
}

/* Adds the reason of each failed delivery, except one that only repeats the previous one. */
static void describe_chain(struct text *line, const struct diagnosis *d)
{
    const char *before = "";

    for (unsigned i = 0; i < d->count && i < CHAIN_MAX; i++) {
        const struct delivery *delivery = &d->deliveries[i];
        const char *why = delivery->failed.why;

        if (delivery->possible) {
            text_add(line, "; ");
            exception_name(line, &d->chain[i]);
            text_add(line, " goes to its handler at 0x%lx", delivery->handler);
            return;
        }
        if (i == 0)
            text_add(line, "; %s, so it could not be delivered", why);
        else if (strcmp(why, before) != 0) {
            text_add(line, "; nor the ");
            exception_name(line, &d->chain[i]);
            text_add(line, ": %s", why);
        }
        before = why;
    }
}

static void describe(struct diagnosis *d)
{
    struct text line = text_in(d->line, sizeof d->line);

    if (d->count == 0 && d->raise.outside)
        text_add(&line, "%s at 0x%lx, where there is no RAM", d->raise.decoded ? "access" : "fetch",
                 d->raise.outside_at);
    if (d->count == 0)
        return;
    exception_describe(&line, &d->chain[0]);
    if (d->recursion)
        describe_recursion(&line, d);
    else
        describe_chain(&line, d);
}

struct diagnosis diagnose_fault(const struct snapshot *s, struct diagnose_hint hint)
{
    struct diagnosis d = {.raise = raise_look(s)};
    struct exception taken;

    if (d.raise.exception.vector != EXCEPTION_NONE) {
        add(&d, &d.raise.exception);
    } else if (hint.interrupt >= 0) {
        exception_set(&taken, hint.interrupt, 0, "from a device");
        add(&d, &taken);
    }
    if (d.count > 0)
        follow(&d, s);
    d.recursion = d.count > 0 && hint.handling == d.chain[0].vector;
    if (d.recursion)
        d.deliveries[0].handler = snapshot_linear_rip(s);
    describe(&d);
    return d;
}
