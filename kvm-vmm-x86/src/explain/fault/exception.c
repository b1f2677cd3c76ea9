/* Exceptions in words; see exception.h. */
#include "explain/fault/exception.h"

#include <stdarg.h>
#include <stdio.h>

struct name {
    const char *words, *mnemonic;
    bool has_error;
};

/* Intel SDM volume 3, table 6-1. */
static const struct name names[] = {
    [EXCEPTION_DE] = {"divide error", "#DE", false},
    [EXCEPTION_DB] = {"debug exception", "#DB", false},
    [EXCEPTION_NMI] = {"non-maskable interrupt", "NMI", false},
    [EXCEPTION_BP] = {"breakpoint", "#BP", false},
    [EXCEPTION_OF] = {"overflow", "#OF", false},
    [EXCEPTION_BR] = {"bound range exceeded", "#BR", false},
    [EXCEPTION_UD] = {"invalid opcode", "#UD", false},
    [EXCEPTION_NM] = {"device not available", "#NM", false},
    [EXCEPTION_DF] = {"double fault", "#DF", true},
    [EXCEPTION_TS] = {"invalid TSS", "#TS", true},
    [EXCEPTION_NP] = {"segment not present", "#NP", true},
    [EXCEPTION_SS] = {"stack fault", "#SS", true},
    [EXCEPTION_GP] = {"general protection fault", "#GP", true},
    [EXCEPTION_PF] = {"page fault", "#PF", true},
    [EXCEPTION_MF] = {"x87 error", "#MF", false},
    [EXCEPTION_AC] = {"alignment check", "#AC", true},
};

static const struct name *name_of(int vector)
{
    bool known = vector >= 0 && vector < (int)(sizeof names / sizeof names[0]);

    return known && names[vector].words != NULL ? &names[vector] : NULL;
}

bool exception_set(struct exception *e, int vector, uint32_t error, const char *format, ...)
{
    va_list args;

    *e = (struct exception){.vector = vector, .error = error};
    va_start(args, format);
    vsnprintf(e->why, sizeof e->why, format, args);
    va_end(args);
    return true;
}

bool exception_set_walk(struct exception *e, const struct walk *walk, bool stack)
{
    static const char *const accesses[] = {
        [WALK_READ] = "read", [WALK_WRITE] = "write", [WALK_FETCH] = "fetch"};
    struct text why;
    char bytes[sizeof e->why];

    why = text_in(bytes, sizeof bytes);
    if (walk->result == WALK_NOT_CANONICAL)
        return exception_set(e, stack ? EXCEPTION_SS : EXCEPTION_GP, 0,
                             "%s of 0x%llx, which is not canonical", accesses[walk->access],
                             (unsigned long long)walk->address);
    text_add(&why, "%s%s; ", walk->user ? "user " : "", accesses[walk->access]);
    walk_describe(&why, walk);
    exception_set(e, EXCEPTION_PF, walk->error_code, "%s", bytes);
    e->paged = true;
    e->walk = *walk;
    return true;
}

bool exception_has_error(int vector)
{
    const struct name *name = name_of(vector);

    return name != NULL && name->has_error;
}

const char *exception_mnemonic(int vector)
{
    const struct name *name = name_of(vector);

    return name != NULL ? name->mnemonic : "interrupt";
}

void exception_name(struct text *text, const struct exception *e)
{
    const struct name *name = name_of(e->vector);

    if (name != NULL)
        text_add(text, "%s", name->words);
    else
        text_add(text, "interrupt 0x%x", (unsigned)e->vector);
}

void exception_describe(struct text *text, const struct exception *e)
{
    exception_name(text, e);
    if (e->paged)
        text_add(text, " at 0x%llx", (unsigned long long)e->walk.address);
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
