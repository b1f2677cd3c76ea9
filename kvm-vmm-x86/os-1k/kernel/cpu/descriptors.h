/* The processor's tables: segments (GDT), task states (TSS) and interrupt gates (IDT). Intel SDM
 * volume 3, sections 3.4.5, 7.2.1 and 6.11. */
#ifndef KERNEL_CPU_DESCRIPTORS_H
#define KERNEL_CPU_DESCRIPTORS_H

/* Segment selectors; the low two bits of the program's are its privilege level, 3. */
#define KERNEL_CODE  0x08
#define KERNEL_DATA  0x10
#define PROGRAM_CODE 0x1b
#define PROGRAM_DATA 0x23
#define MAIN_TASK    0x28
#define RESCUE_TASK  0x30

/* The interrupt vectors: exceptions from 0, device interrupts from 32, and system calls. */
#define VECTOR_DOUBLE_FAULT 0x08
#define VECTOR_PAGE_FAULT   0x0e
#define VECTOR_IRQ_BASE     0x20
#define VECTOR_SYSTEM_CALL  0x80
#define VECTOR_COUNT        0x81

#ifndef __ASSEMBLY__
#include <stdint.h>

#include "kernel/cpu/trap.h"

/* Loads the kernel's own tables, so that nothing of the loader's is used any more. */
void descriptors_init(void);

/* From here on a double fault, which is what an overflow of the kernel's stack ends in, has a task
 * of its own with another stack: fault_double runs in `space`. */
void descriptors_rescue(uint32_t space);

/* Where the processor and trap_entry.S put the registers at the next entry from ring 3. */
void descriptors_set_frame(struct trap_frame *frame);

/* What the kernel was doing when the double fault came. */
struct trap_frame descriptors_interrupted_task(void);
#endif

#endif
