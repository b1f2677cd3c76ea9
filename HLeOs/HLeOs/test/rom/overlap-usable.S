/* A memory map that promises the same RAM twice: after all other entries comes a usable one of
 * 64 KB in the middle of the largest. */
#include "rom.inc"

#define SMAP     0x534d4150
#define OURS     0x4f564552     /* the continuation value that asks for the last entry */
#define USABLE   1

        rom_begin
        hook    SYSTEM, OLD_SYSTEM, system
        rom_end

system: cmpw    $0xe820, %ax
        je      1f
        chain   OLD_SYSTEM
1:      cmpl    $OURS, %ebx
        je      last
        pushw   %ds                     /* the BIOS's own entry: what it needs is in ES:DI */
        pushw   $0
        popw    %ds
        pushfw
        lcall   *OLD_SYSTEM
        popw    %ds
        jc      2f
        testl   %ebx, %ebx
        jnz     3f
        movl    $OURS, %ebx
3:      grant
2:      refuse  0x86

last:   movl    $0x2001000, %es:(%di)
        movl    $0, %es:4(%di)
        movl    $0x10000, %es:8(%di)
        movl    $0, %es:12(%di)
        movl    $USABLE, %es:16(%di)
        movl    $SMAP, %eax
        movl    $20, %ecx
        xorl    %ebx, %ebx
        grant
