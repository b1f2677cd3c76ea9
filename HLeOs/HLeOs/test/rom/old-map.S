/* A BIOS without e820h: only e801h works. */
#include "rom.inc"

        rom_begin
        hook    SYSTEM, OLD_SYSTEM, system
        rom_end

system: cmpw    $0xe820, %ax
        je      1f
        chain   OLD_SYSTEM
1:      refuse  0x86
