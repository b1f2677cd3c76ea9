/* A drive that is read by EDD alone: function 08h is refused, as for some USB and NVMe drives. */
#include "rom.inc"

        rom_begin
        hook    DISK, OLD_DISK, disk
        rom_end

disk:   cmpb    $0x08, %ah
        je      1f
        chain   OLD_DISK
1:      refuse  0x01
