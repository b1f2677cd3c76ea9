/* Exceptions: reported in words, blamed on the thread that caused them where that is safe. */
#ifndef HLEOS_INTERRUPT_HANDLER_H
#define HLEOS_INTERRUPT_HANDLER_H

struct interrupt_frame;

/* Prints cause, registers and backtrace. If the thread can be ended safely, the frame is changed so
 * that returning ends it; otherwise this is a panic. A breakpoint is reported and goes on. */
void handler_exception(struct interrupt_frame *frame);

#endif
