/* Counter 0 of the 8254 interval timer, which a PC has at interrupt line 0: Intel 8254 data sheet,
 * mode 2 and the counter latch command. */
#ifndef COMMON_PC_PIT_H
#define COMMON_PC_PIT_H

#include "common/x86.h"

enum { PC_PIT_HZ = 1193182, PC_PIT_LINE = 0, PC_PIT_LONGEST = 0x10000 };
enum { PC_PIT_COUNTER_0 = 0x40, PC_PIT_CONTROL = 0x43 };

/* Raises an interrupt every `count` counts, at most 65,536 (PC_PIT_HZ counts a second). */
static inline void pc_pit_start(unsigned count)
{
    enum { COUNTER_0_BOTH_BYTES_MODE_2 = 0x34 };

    x86_out8(PC_PIT_CONTROL, COUNTER_0_BOTH_BYTES_MODE_2);
    x86_out8(PC_PIT_COUNTER_0, (uint8_t)count);
    x86_out8(PC_PIT_COUNTER_0, (uint8_t)(count >> 8));
}

/* Reads the counter, which counts down. */
static inline uint16_t pc_pit_read(void)
{
    enum { LATCH_COUNTER_0 = 0x00 };
    uint16_t count;

    x86_out8(PC_PIT_CONTROL, LATCH_COUNTER_0);
    count = x86_in8(PC_PIT_COUNTER_0);
    return (uint16_t)(count | x86_in8(PC_PIT_COUNTER_0) << 8);
}

#endif
