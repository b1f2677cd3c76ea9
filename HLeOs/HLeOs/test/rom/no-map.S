/* No memory map: functions e820h, e801h and 88h of interrupt 15h are refused. */
#include "rom.inc"

        rom_begin
        hook    SYSTEM, OLD_SYSTEM, system
        rom_end

system: cmpw    $0xe820, %ax
        je      1f
        cmpw    $0xe801, %ax
        je      1f
        cmpb    $0x88, %ah
        je      1f
        chain   OLD_SYSTEM
1:      refuse  0x86
