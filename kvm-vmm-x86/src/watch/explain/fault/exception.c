/* Describes exceptions; see exception.h. */
#include "watch/explain/fault/exception.h"

#include <stdarg.h>
#include <stdio.h>

bool exception_set(struct exception *e, int vector, uint32_t error, const char *format, ...)
{
    va_list args;

    *e = (struct exception){.vector = vector, .error = error};
    va_start(args, format);
    vsnprintf(e->why, sizeof e->why, format, args);
    va_end(args);
    return true;
}

bool exception_explain(struct exception *e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(e->why, sizeof e->why, format, args);
    va_end(args);
    return true;
}

bool exception_set_walk(struct exception *e, const struct walk *walk, bool stack)
{
    static const char *const accesses[] = {
        [WALK_READ] = "read", [WALK_WRITE] = "write", [WALK_FETCH] = "fetch"};

    if (walk->result == WALK_NOT_CANONICAL)
        return exception_set(e, stack ? EXCEPTION_SS : EXCEPTION_GP, 0,
                             "%s of 0x%lx, which is not canonical", accesses[walk->access],
                             walk->address);
    exception_set(e, EXCEPTION_PF, walk->error_code, "%s%s; %s", walk->user ? "user " : "",
                  accesses[walk->access], walk_words(walk).text);
    e->paged = true;
    e->walk = *walk;
    return true;
}

void exception_name(struct text *text, const struct exception *e)
{
    const char *words = exception_words(e->vector);

    if (words != NULL)
        text_add(text, "%s", words);
    else
        text_add(text, "interrupt 0x%x", (unsigned)e->vector);
}

void exception_describe(struct text *text, const struct exception *e)
{
    exception_name(text, e);
    if (e->paged)
        text_add(text, " at 0x%lx", e->walk.address);
    if (e->why[0] != '\0')
        text_add(text, " (%s)", e->why);
}

static bool is_contributory(int vector)
{
    return vector == EXCEPTION_DE || (vector >= EXCEPTION_TS && vector <= EXCEPTION_GP);
}

enum exception_pair exception_pair(int first, int second)
{
    bool bad = is_contributory(second) || second == EXCEPTION_PF;

    if (first == EXCEPTION_DF)
        return bad ? PAIR_SHUTDOWN : PAIR_SERIAL;
    if (first == EXCEPTION_PF)
        return bad ? PAIR_DOUBLE : PAIR_SERIAL;
    return is_contributory(first) && is_contributory(second) ? PAIR_DOUBLE : PAIR_SERIAL;
}
