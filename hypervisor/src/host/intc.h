/* The machine's interrupt controller, as far as the hypervisor uses it: its own serial port. */
#ifndef HOST_INTC_H
#define HOST_INTC_H

#include "lib/types.h"

void intc_init(uint64_t base);
/* Lets `interrupt` through to the context of one hart. */
void intc_enable(uint32_t context, uint32_t interrupt);
/* The interrupt to serve, 0 for none; give it back when served. */
uint32_t intc_claim(uint32_t context);
void intc_complete(uint32_t context, uint32_t interrupt);

#endif
