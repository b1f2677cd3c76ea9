/* Deadlines of a guest in steps; see timer.h. */
#include "watch/gdb/timer.h"

#include "watch/explain/walk.h"

/* Some seconds, in which thousands of steps are made. A guest that sleeps makes none, and waits. */
#define REST (UINT64_C(1) << 33)

bool timer_is_set(const struct snapshot *s, const struct memory *memory)
{
    uint8_t code[2];

    return (uint32_t)s->regs.rcx == TIMER_MSR_DEADLINE &&
           walk_read(s, memory, snapshot_linear_rip(s), code, sizeof code) == sizeof code &&
           code[0] == 0x0f && code[1] == 0x30;
}

uint64_t timer_later(uint64_t now, uint64_t deadline)
{
    return deadline == 0 || deadline >= now + REST ? deadline : now + REST;
}
