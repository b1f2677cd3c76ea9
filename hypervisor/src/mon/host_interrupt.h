/* The machine's own device interrupts: its serial port feeds the multiplexer. */
#ifndef MON_HOST_INTERRUPT_H
#define MON_HOST_INTERRUPT_H

void host_interrupt_init(void);
void host_interrupt_serve(void);
/* For machines whose interrupt controller is not driven: looks at the serial port on a timer. */
void host_interrupt_poll(void);

#endif
