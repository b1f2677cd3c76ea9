/* A kernel whose header carries its addresses, so that the rest of its file may be anything: the tests start it as a
 * 64-bit ELF file and as flat bytes too. Mode: multiboot */
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
