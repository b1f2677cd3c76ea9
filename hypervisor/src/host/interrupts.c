/* The machine's PLIC; see interrupts.h. */
#include "host/interrupts.h"

#include "cpu/cpu.h"
#include "host/machine.h"

enum { ENABLE = 0x2000, ENABLE_STRIDE = 0x80, CONTEXT = 0x200000, CONTEXT_STRIDE = 0x1000 };
enum { THRESHOLD = 0, CLAIM = 4 };

struct connection {
    uint32_t interrupt;
    void (*serve)(void);
};

static struct connection connected[INTERRUPTS_MAX];

static unsigned count;
static struct cpu *listener; /* the hart that is interrupted */

static volatile uint32_t *plic(uint64_t offset)
{
    return (volatile uint32_t *)(machine.plic.base + offset);
}

bool interrupts_connect(uint32_t interrupt, void (*serve)(void))
{
    struct cpu *cpu = listener != NULL ? listener : cpu_self();
    uint32_t context = machine.plic_context[cpu->index];
    volatile uint32_t *enable = plic(ENABLE + (uint64_t)context * ENABLE_STRIDE);

    if (interrupt == 0 || machine.plic.base == 0 || context == ~0u || count == INTERRUPTS_MAX)
        return false;
    connected[count] = (struct connection){interrupt, serve};
    __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE); /* pairs with interrupts_serve() */
    listener = cpu;
    *plic(4ul * interrupt) = 1; /* its priority */
    *plic(CONTEXT + (uint64_t)context * CONTEXT_STRIDE + THRESHOLD) = 0;
    enable[interrupt / 32] |= 1u << interrupt % 32;
    return true;
}

void interrupts_serve(void)
{
    uint32_t context = machine.plic_context[cpu_self()->index], interrupt;
    volatile uint32_t *claim;

    if (cpu_self() != listener)
        return;
    claim = plic(CONTEXT + (uint64_t)context * CONTEXT_STRIDE + CLAIM);
    interrupt = *claim;
    for (unsigned i = 0; i < __atomic_load_n(&count, __ATOMIC_ACQUIRE); i++)
        if (connected[i].interrupt == interrupt && interrupt != 0)
            connected[i].serve();
    if (interrupt != 0)
        *claim = interrupt;
}
