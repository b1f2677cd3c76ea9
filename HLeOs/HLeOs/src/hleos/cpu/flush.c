/* Intel SDM volume 3, 4.10.5: propagation of paging-structure changes; see flush.h. */
#include "cpu/flush.h"

#include "asm.h"
#include "cpu.h"
#include "cpu/panic.h"

enum { PATIENCE = 400000000 }; /* polls */

static uint64_t wanted; /* number of the last request; cpu->flushed: the last one served */

/* Flushes global entries too: SDM volume 3, 4.10.4.1. */
static void forget(void)
{
    uintptr_t cr4 = x86_read_cr4();

    x86_write_cr4(cr4 & ~(uintptr_t)X86_CR4_PGE);
    x86_write_cr4(cr4);
}

void flush_serve(void)
{
    struct cpu *cpu = cpu_this();
    uint64_t request = __atomic_load_n(&wanted, __ATOMIC_SEQ_CST);

    if (cpu->flushed == request)
        return;
    forget();
    /* Release: pairs with the acquire in flush_others(). */
    __atomic_store_n(&cpu->flushed, request, __ATOMIC_RELEASE);
}

static bool answered(const struct cpu *cpu, uint64_t request)
{
    /* Acquire: pairs with the release in flush_serve(). A resting processor has not seen the
     * request, but flushes before it uses memory that may be unmapped: flush_wake(). */
    return __atomic_load_n(&cpu->flushed, __ATOMIC_ACQUIRE) >= request ||
           __atomic_load_n(&cpu->resting, __ATOMIC_SEQ_CST);
}

static void await(const struct cpu *cpu, uint64_t request)
{
    for (long look = 0; !answered(cpu, request); look++) {
        if (look == PATIENCE)
            panic("processor %u does not answer", cpu->id);
        flush_serve(); /* the other processor may wait for this one */
        x86_pause();
    }
}

/* A processor that has served a request has served all requests with a lower number. */
void flush_others(void)
{
    uint64_t flags, request;

    if (cpu_count() == 1)
        return;
    flags = asm_interrupts_off();
    request = __atomic_add_fetch(&wanted, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < cpu_count(); i++)
        if (cpu_at(i) != cpu_this() && !answered(cpu_at(i), request))
            cpu_signal_flush(cpu_at(i));
    for (unsigned i = 0; i < cpu_count(); i++)
        if (cpu_at(i) != cpu_this())
            await(cpu_at(i), request);
    asm_interrupts_restore(flags);
}

/* All processors see these four steps in one order (SEQ_CST): the requester writes `wanted` and
 * reads `resting`, the waking processor writes `resting` and reads `wanted`. So at least one of
 * them sees what the other wrote. */
void flush_rest(void)
{
    __atomic_store_n(&cpu_this()->resting, true, __ATOMIC_SEQ_CST);
}

void flush_wake(void)
{
    __atomic_store_n(&cpu_this()->resting, false, __ATOMIC_SEQ_CST);
    flush_serve();
}
