/* A BIOS without e820h whose e801h returns values only in CX and DX: 15 MB, and 112 MB above 16 MB. */
#include "rom.inc"

        rom_begin
        hook    SYSTEM, OLD_SYSTEM, system
        rom_end

system: cmpw    $0xe820, %ax
        je      1f
        cmpb    $0x88, %ah
        je      1f
        cmpw    $0xe801, %ax
        je      2f
        chain   OLD_SYSTEM
1:      refuse  0x86
2:      movw    $0x3c00, %cx
        movw    $0x0700, %dx
        xorw    %ax, %ax
        xorw    %bx, %bx
        grant
