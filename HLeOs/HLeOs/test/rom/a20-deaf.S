/* A BIOS that cannot open A20: function 2401h of interrupt 15h is refused. */
#include "rom.inc"

        rom_begin
        hook    SYSTEM, OLD_SYSTEM, system
        rom_end

system: cmpw    $0x2401, %ax
        je      1f
        chain   OLD_SYSTEM
1:      refuse  0x86
