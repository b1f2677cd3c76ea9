/*
 * Interrupts of the machine's devices, all on one hart: by a PLIC (RISC-V Platform-Level Interrupt
 * Controller 1.0.0), or by an APLIC, which interrupts the hart by wire or writes MSIs to its IMSIC
 * (RISC-V Advanced Interrupt Architecture 1.0, chapters 3 and 4). A machine with another controller
 * has none of them: devices are looked at on a timer then.
 */
#ifndef HOST_INTERRUPTS_H
#define HOST_INTERRUPTS_H

#include "lib/types.h"

enum { INTERRUPTS_MAX = 2 }; /* devices that interrupt */

/* From now on `serve` is called for that interrupt, with no lock held, on the hart that makes the
 * first of these calls; false: it will not come. Lines are high while a device waits. */
bool interrupts_connect(uint32_t interrupt, void (*serve)(void)) MUST_CHECK;
/* A hart's external interrupt: serves one. */
void interrupts_serve(void);
/* What they come by, in words, and how many have been served. */
const char *interrupts_count(uint64_t *served);

#endif
