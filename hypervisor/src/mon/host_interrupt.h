/* The machine's own device interrupts: its serial port feeds the multiplexer. */
#ifndef MON_HOST_INTERRUPT_H
#define MON_HOST_INTERRUPT_H

#include "lib/types.h"

void host_interrupt_init(void);
void host_interrupt_serve(void);
/* For machines without a PLIC, such as those with an AIA: looks at the serial port when that is
 * due. The boot hart's timer must not come later than the next time, in host time; ~0: never. */
void host_interrupt_poll(void);
uint64_t host_interrupt_next_poll(void);

#endif
