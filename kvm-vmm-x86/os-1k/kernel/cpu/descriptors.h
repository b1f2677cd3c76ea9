/* The processor's tables: segments (GDT), the task state that holds the kernel's stack (TSS), and
 * the interrupt gates (IDT). Intel SDM volume 3, sections 3.4.5, 7.2.1 and 6.11. */
#ifndef KERNEL_CPU_DESCRIPTORS_H
#define KERNEL_CPU_DESCRIPTORS_H

/* Segment selectors; the low two bits of the program's are its privilege level, 3. */
#define KERNEL_CODE  0x08
#define KERNEL_DATA  0x10
#define PROGRAM_CODE 0x1b
#define PROGRAM_DATA 0x23
#define TASK_STATE   0x28

/* The interrupt vectors that are in use: exceptions from 0, device interrupts from 32. */
#define VECTOR_IRQ_BASE    0x20
#define VECTOR_COUNT       0x30
#define VECTOR_SYSTEM_CALL 0x80

#ifndef __ASSEMBLY__
#include <stdint.h>

/* Loads the kernel's own tables, so that nothing of the loader's is used any more. */
void descriptors_init(void);

/* Names the stack that the next entry from ring 3 will use. */
void descriptors_set_kernel_stack(uint32_t top);
#endif

#endif
