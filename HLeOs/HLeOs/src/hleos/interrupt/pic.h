/* The two 8259A interrupt controllers of the PC/AT. */
#ifndef HLEOS_INTERRUPT_PIC_H
#define HLEOS_INTERRUPT_PIC_H

struct interrupt_controller;

/* Moves its sixteen lines to INTERRUPT_IRQ_BASE and masks them all. */
void pic_init(void);
const struct interrupt_controller *pic_controller(void);

#endif
