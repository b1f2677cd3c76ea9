/*
 * The kernel's address space: Intel SDM volume 3, 4.5 (four levels, 48 bits).
 *
 *   ffff8000_00000000  all usable memory, at its physical address plus this; never executable
 *   ffffc000_00000000  the heap's large blocks; the bits of its slots at ffffcc00_00000000
 *   ffffd000_00000000  thread stacks, with 16 KB unmapped below each
 *   ffffe000_00000000  device registers and firmware tables, mapped as they are asked for
 *   ffffffff_80000000  the kernel: text R-X, constants R--, data RW-
 */
#ifndef HLEOS_MEMORY_LAYOUT_H
#define HLEOS_MEMORY_LAYOUT_H

#define DIRECT_MAP_BASE 0xffff800000000000
#define HEAP_BASE       0xffffc00000000000
#define HEAP_SLOT_BITS  0xffffcc0000000000
#define STACKS_BASE     0xffffd00000000000
#define DEVICES_BASE    0xffffe00000000000
#define KERNEL_BASE     0xffffffff80000000

#define PAGE_SIZE 0x1000

#endif
