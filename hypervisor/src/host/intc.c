/* The machine's PLIC; see intc.h. Layout: RISC-V Platform-Level Interrupt Controller 1.0.0, 3. */
#include "host/intc.h"

enum { ENABLE = 0x2000, ENABLE_STRIDE = 0x80, CONTEXT = 0x200000, CONTEXT_STRIDE = 0x1000 };
enum { THRESHOLD = 0, CLAIM = 4 };

static uint64_t base;

static volatile uint32_t *reg(uint64_t offset)
{
    return (volatile uint32_t *)(base + offset);
}

void intc_init(uint64_t address)
{
    base = address;
}

void intc_enable(uint32_t context, uint32_t interrupt)
{
    *reg(4ul * interrupt) = 1;
    *reg(ENABLE + (uint64_t)context * ENABLE_STRIDE + interrupt / 32 * 4) |= 1u << interrupt % 32;
    *reg(CONTEXT + (uint64_t)context * CONTEXT_STRIDE + THRESHOLD) = 0;
}

uint32_t intc_claim(uint32_t context)
{
    return *reg(CONTEXT + (uint64_t)context * CONTEXT_STRIDE + CLAIM);
}

void intc_complete(uint32_t context, uint32_t interrupt)
{
    *reg(CONTEXT + (uint64_t)context * CONTEXT_STRIDE + CLAIM) = interrupt;
}
