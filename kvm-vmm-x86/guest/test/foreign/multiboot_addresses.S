/* A kernel whose header has its addresses, so that its file may have any format: the tests also
 * start it as a 64-bit ELF file and as flat bytes. Mode: multiboot */
#include "abi/multiboot.h"
#define FLAGS (MULTIBOOT_HAS_ADDRESSES | 3)
    .globl linked_at
    .balign 4
linked_at:
    .long MULTIBOOT_HEADER_MAGIC, FLAGS, -(MULTIBOOT_HEADER_MAGIC + FLAGS)
    .long linked_at, linked_at, 0, end, _start
#include "foreign.inc"
    cmp $MULTIBOOT_BOOT_MAGIC, %eax
    je 1f
    finish 1
1:  say "entered in 32 bits\n"
    finish
