/*
 * The kernel's address space: Intel SDM volume 3, 4.5 (four levels, 48 bits).
 *
 *   ffff8000_00000000  all usable memory, at its physical address plus this; never executable
 *   ffffc000_00000000  the heap; its bit maps at ffffc800_..., ffffcc00_... and ffffce00_...
 *   ffffd000_00000000  thread stacks, with an unmapped page below each
 *   ffffe000_00000000  device registers and firmware tables, mapped as they are asked for
 *   ffffffff_80000000  the kernel: text R-X, constants R--, data RW-
 *
 * Read by assembly and the linker script's author too.
 */
#ifndef HLEOS_MEMORY_LAYOUT_H
#define HLEOS_MEMORY_LAYOUT_H

#define DIRECT_MAP_BASE 0xffff800000000000
#define HEAP_BASE       0xffffc00000000000
#define HEAP_USED_BITS  0xffffc80000000000
#define HEAP_LAST_BITS  0xffffcc0000000000
#define HEAP_FULL_BITS  0xffffce0000000000
#define STACKS_BASE     0xffffd00000000000
#define DEVICES_BASE    0xffffe00000000000
#define KERNEL_BASE     0xffffffff80000000

#define PAGE_SIZE       0x1000
#define BOOT_STACK_SIZE 0x4000

#endif
