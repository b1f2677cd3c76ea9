/*
 * Interrupts of the machine's devices, all on one hart: by a PLIC (RISC-V Platform-Level Interrupt
 * Controller 1.0.0), or by an APLIC, which interrupts the hart by wire or writes MSIs to its IMSIC
 * (RISC-V Advanced Interrupt Architecture 1.0, chapters 3 and 4). With another controller, devices
 * are polled by a timer.
 */
#ifndef HOST_INTERRUPTS_H
#define HOST_INTERRUPTS_H

#include "lib/types.h"

enum { INTERRUPTS_MAX = 2 }; /* devices that interrupt */

/* Connects an interrupt: `serve` is called for it, with no lock held, on the hart that made the
 * first of these calls. False: it cannot be connected. Lines are level-triggered, active high. */
bool interrupts_connect(uint32_t interrupt, void (*serve)(void)) MUST_CHECK;
/* A hart's external interrupt: serves one. */
void interrupts_serve(void);
/* The name of the controller, and how many interrupts were served. */
const char *interrupts_count(uint64_t *served);

#endif
