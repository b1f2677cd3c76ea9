/* The breakpoint table; see breakpoints.h. */
#include "watch/gdb/breakpoints.h"

#include <errno.h>
#include <stddef.h>

/* DR7 (Intel SDM volume 3, 18.2.4): enable bits by twos from bit 0, condition and length by fours
 * from bit 16. */
#define DR7_LOCAL(n)           (UINT64_C(1) << 2 * (n))
#define DR7_CONTROL(n, rw, ln) (((uint64_t)(ln) << 2 | (uint64_t)(rw)) << (16 + 4 * (n)))
enum { DR7_EXECUTE = 0, DR7_WRITE = 1, DR7_ACCESS = 3 };

const char *gdb_means_name(enum gdb_means means)
{
    static const char *const names[] = {[GDB_BY_INT3] = "int3",
                                        [GDB_BY_PORT] = "a port write in its place",
                                        [GDB_BY_REGISTER] = "debug register",
                                        [GDB_BY_STEPS] = "single steps"};

    return names[means];
}

static bool is_watch(const struct gdb_breakpoint *b)
{
    return b->type >= GDB_WATCH_WRITE;
}

/* The kind (length) of an execution breakpoint is ignored. */
static bool is_same(const struct gdb_breakpoint *a, const struct gdb_breakpoint *b)
{
    return a->type == b->type && a->address == b->address &&
           (!is_watch(a) || a->length == b->length);
}

int gdb_breakpoints_add(struct gdb_breakpoints *table, const struct gdb_breakpoint *breakpoint)
{
    if (is_watch(breakpoint) &&
        (breakpoint->length == 0 || breakpoint->length > GDB_WATCH_LENGTH_MAX))
        return -EINVAL;
    for (unsigned i = 0; i < table->count; i++)
        if (is_same(&table->list[i], breakpoint))
            return 0;
    if (table->count == GDB_BREAKPOINTS_MAX)
        return -ENOSPC;
    table->list[table->count++] = *breakpoint;
    return 0;
}

int gdb_breakpoints_remove(struct gdb_breakpoints *table, const struct gdb_breakpoint *breakpoint)
{
    for (unsigned i = 0; i < table->count; i++) {
        if (is_same(&table->list[i], breakpoint)) {
            table->list[i] = table->list[--table->count];
            return (int)i;
        }
    }
    return -1;
}

const struct gdb_breakpoint *gdb_breakpoints_at(const struct gdb_breakpoints *table, gva_t address)
{
    for (unsigned i = 0; i < table->count; i++)
        if (!is_watch(&table->list[i]) && table->list[i].address == address)
            return &table->list[i];
    return NULL;
}

/* A debug register watches 1, 2, 4 or 8 bytes at an aligned address; other ranges take several
 * registers. */
static uint32_t aligned_part(gva_t address, uint32_t length)
{
    uint32_t part = 8;

    while (part > length || address % part != 0)
        part /= 2;
    return part;
}

static uint64_t control_of(const struct gdb_breakpoint *b, unsigned n, uint32_t part)
{
    static const uint8_t length_code[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

    if (!is_watch(b))
        return DR7_CONTROL(n, DR7_EXECUTE, 0);
    return DR7_CONTROL(n, b->type == GDB_WATCH_WRITE ? DR7_WRITE : DR7_ACCESS, length_code[part]);
}

static int take_registers(struct gdb_plan *plan, struct gdb_breakpoint *b)
{
    gva_t address = b->address;
    uint32_t left = is_watch(b) ? b->length : 1;
    struct gdb_plan next = *plan;

    while (left > 0) {
        uint32_t part = is_watch(b) ? aligned_part(address, left) : 1;
        unsigned n = next.used;

        if (n == GDB_DEBUG_REGISTERS)
            return -ENOSPC;
        next.address[n] = address;
        next.owner[n] = b;
        next.dr7 |= DR7_LOCAL(n) | control_of(b, n, part);
        next.used++;
        address += part;
        left -= part;
    }
    *plan = next;
    b->means = GDB_BY_REGISTER;
    return 0;
}

/* Whether two bytes fit between the neighbouring breakpoints. */
static bool has_room(const struct gdb_breakpoints *table, const struct gdb_breakpoint *b)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct gdb_breakpoint *other = &table->list[i];

        if (!is_watch(other) &&
            (other->address == b->address + 1 || other->address + 1 == b->address))
            return false;
    }
    return true;
}

/* -ENOSPC: the breakpoint needs a debug register, and none is left. */
static int plan_one(struct gdb_plan *plan, const struct gdb_breakpoints *table,
                    struct gdb_breakpoint *b, const struct probe_debug *features)
{
    bool software = b->type == GDB_SOFTWARE;

    if (software && features->int3) {
        b->means = GDB_BY_INT3;
        return 0;
    }
    if (is_watch(b) ? features->watchpoint : features->breakpoint) {
        int result = take_registers(plan, b);

        if (result == 0 || !software)
            return result;
    }
    b->means = !is_watch(b) && b->fits_port && has_room(table, b) ? GDB_BY_PORT : GDB_BY_STEPS;
    plan->steps |= b->means == GDB_BY_STEPS;
    return 0;
}

/* Hardware breakpoints get the registers first; software breakpoints take the rest if KVM does not
 * report int3. */
int gdb_plan(struct gdb_plan *plan, struct gdb_breakpoints *table,
             const struct probe_debug *features)
{
    *plan = (struct gdb_plan){0};
    for (int software = 0; software <= 1; software++)
        for (unsigned i = 0; i < table->count; i++)
            if ((table->list[i].type == GDB_SOFTWARE) == software &&
                plan_one(plan, table, &table->list[i], features) < 0)
                return -ENOSPC;
    return 0;
}
