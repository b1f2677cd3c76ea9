/* The pair of 8259A interrupt controllers. */
#ifndef KERNEL_DEVICE_PIC_H
#define KERNEL_DEVICE_PIC_H

enum { PIC_LINE_CLOCK = 0, PIC_LINE_UART = 4 };

/* Moves the interrupts behind the exceptions' vectors and lets only our two lines through. */
void pic_init(void);

void pic_end_of_interrupt(unsigned line);

#endif
