/* Where things lie in a guest of the probe. Shared by C and assembly. */
#ifndef LAB_PROBE_LAYOUT_H
#define LAB_PROBE_LAYOUT_H

#define MEMORY_SIZE 0x100000
#define GDT_BASE    0x1000
#define IDT_BASE    0x2000
#define TABLES_BASE 0x3000 /* page tables, up to four pages */
#define CODE_BASE   0x8000 /* the stack grows down from here */
#define DATA_BASE   0x9000

#define ALIAS_BASE 0x80000000 /* paging maps the guest's memory here as well */
#define MMIO_BASE  0x00180000 /* mapped by paging, but no memory is there */

#define PORT_SAY 0x10
#define VECTOR   0x40
#define TURNS    100
#define COUNT    2000000

#endif
