/*
 * Interrupts of the machine's devices, by its PLIC, all on one hart (RISC-V Platform-Level
 * Interrupt Controller 1.0.0). A machine with another controller has none of them: devices are
 * looked at on a timer then.
 */
#ifndef HOST_INTERRUPTS_H
#define HOST_INTERRUPTS_H

#include "lib/types.h"

enum { INTERRUPTS_MAX = 2 }; /* devices that interrupt */

/* From now on `serve` is called for that interrupt, with no lock held, on the hart that makes the
 * first of these calls; false: it will not come. */
bool interrupts_connect(uint32_t interrupt, void (*serve)(void)) MUST_CHECK;
/* A hart's external interrupt: serves one. */
void interrupts_serve(void);

#endif
