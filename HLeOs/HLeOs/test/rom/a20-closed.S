/* Closes the A20 line at the boot sector's first disk call. */
#include "rom.inc"

#define CONTROL_A 0x92          /* PS/2 system control port A; bit 1 is A20 */

        rom_begin
        hook    DISK, OLD_DISK, disk
        rom_end

disk:   cmpb    $0x41, %ah
        jne     1f
        count_call
        jz      1f                      /* the second stage asks again, with A20 open */
        pushw   %ax
        inb     $CONTROL_A, %al
        andb    $0xfc, %al
        outb    %al, $CONTROL_A
        popw    %ax
1:      chain   OLD_DISK
