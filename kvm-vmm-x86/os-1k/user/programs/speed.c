/* speed [call|switch|spawn]: what the kernel's services cost, or one of them, in processor cycles
 * (the time stamp counter). Of many short rounds the best counts: in a short one, the clock or the
 * host is less likely to have interrupted the program. */
#include "common/string.h"
#include "common/x86.h"
#include "user/lib/call.h"
#include "user/lib/text.h"

enum { ROUNDS = 160, CALLS = 100, SPAWNS = 2 };

/* The low half is enough: no round lasts 2^32 cycles. */
static uint32_t cycles(void)
{
    return (uint32_t)x86_rdtsc();
}

static void system_call(void)
{
    call_kernel(HC_UPTIME, 0, 0, 0, 0);
}

static void yield(void)
{
    call_yield();
}

static void spawn(void)
{
    int status;

    call_wait(call_spawn("bin/true", SPAWN_FRONT), WAIT_BLOCK, &status);
}

static uint32_t best_of(void (*service)(void), uint32_t count)
{
    uint32_t best = UINT32_MAX;

    for (int round = 0; round < ROUNDS; round++) {
        uint32_t begin = cycles(), spent;

        for (uint32_t i = 0; i < count; i++)
            service();
        spent = (cycles() - begin) / count;
        if (spent < best)
            best = spent;
    }
    return best;
}

/* Two processes that only yield: each call switches to the other one, and the next call back. */
static uint32_t context_switch(void)
{
    int status, partner = call_spawn("bin/speed partner", SPAWN_BACKGROUND);
    uint32_t round_trip = best_of(yield, CALLS);

    call_kill(partner);
    call_wait(partner, WAIT_BLOCK, &status);
    return round_trip / 2;
}

static uint32_t system_calls(void)
{
    return best_of(system_call, CALLS);
}

static uint32_t spawns(void)
{
    return best_of(spawn, SPAWNS);
}

struct service {
    const char *name, *what;
    uint32_t (*measure)(void);
};

static const struct service services[] = {
    {"call", "system call round trip", system_calls},
    {"switch", "context switch", context_switch},
    {"spawn", "spawn, run, exit, wait", spawns},
};

int main(int argc, char **argv)
{
    while (argc > 1 && strcmp(argv[1], "partner") == 0)
        call_yield();
    for (unsigned i = 0; i < sizeof services / sizeof services[0]; i++)
        if (argc == 1 || strcmp(argv[1], services[i].name) == 0)
            text_print("%s: %u cycles\n", services[i].what, services[i].measure());
    return 0;
}
