/*
 * The debug-exit port, with the meaning of QEMU's isa-debug-exit at iobase 0xf4: a write of V ends
 * the machine, and the program that runs it ends with status (V << 1) | 1.
 */
#ifndef ABI_DEBUG_EXIT_H
#define ABI_DEBUG_EXIT_H

#define DEBUG_EXIT_PORT          0xf4
#define DEBUG_EXIT_STATUS(value) ((((value) << 1) | 1) & 0xff)

#endif
