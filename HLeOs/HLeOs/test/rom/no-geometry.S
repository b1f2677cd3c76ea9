/* A drive that can be read only by EDD: function 08h fails, as for some USB and NVMe drives. */
#include "rom.inc"

        rom_begin
        hook    DISK, OLD_DISK, disk
        rom_end

disk:   cmpb    $0x08, %ah
        je      1f
        chain   OLD_DISK
1:      refuse  0x01
