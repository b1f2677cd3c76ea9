/* The interrupt controllers of a PC, a pair of 8259A: Intel 8259A data sheet, initialization
 * command words 1 to 4. Only the set-up of both is here; the handler of a line belongs to its
 * driver. */
#ifndef COMMON_PC_PIC_H
#define COMMON_PC_PIC_H

#include "common/x86.h"

enum { PC_PIC_FIRST = 0x20, PC_PIC_SECOND = 0xa0, PC_PIC_DATA = 1 /* the port that follows */ };
enum {
    PC_PIC_LINES = 16,
    PC_PIC_CASCADE = 2 /* the line of the first that the second is connected to */
};
enum pc_pic_mode {
    PC_PIC_PLAIN = 0x01,    /* the handler of an interrupt sends the EOI */
    PC_PIC_AUTO_END = 0x03, /* acknowledging an interrupt also ends it */
};

/* Masks the lines whose bits are set in `lines`, and unmasks the others. */
static inline void pc_pic_mask(uint16_t lines)
{
    x86_out8(PC_PIC_FIRST + PC_PIC_DATA, (uint8_t)lines);
    x86_out8(PC_PIC_SECOND + PC_PIC_DATA, (uint8_t)(lines >> 8));
}

/* Initialises both: line N raises interrupt vector `vector` + N. All lines are masked. */
static inline void pc_pic_init(uint8_t vector, enum pc_pic_mode mode)
{
    enum { EDGE_TRIGGERED_PAIR = 0x11 };

    x86_out8(PC_PIC_FIRST, EDGE_TRIGGERED_PAIR);
    x86_out8(PC_PIC_SECOND, EDGE_TRIGGERED_PAIR);
    x86_out8(PC_PIC_FIRST + PC_PIC_DATA, vector);
    x86_out8(PC_PIC_SECOND + PC_PIC_DATA, (uint8_t)(vector + 8));
    x86_out8(PC_PIC_FIRST + PC_PIC_DATA, 1 << PC_PIC_CASCADE); /* a bit mask here, */
    x86_out8(PC_PIC_SECOND + PC_PIC_DATA, PC_PIC_CASCADE);     /* a number there */
    x86_out8(PC_PIC_FIRST + PC_PIC_DATA, (uint8_t)mode);
    x86_out8(PC_PIC_SECOND + PC_PIC_DATA, (uint8_t)mode);
    pc_pic_mask(0xffff);
}

#endif
