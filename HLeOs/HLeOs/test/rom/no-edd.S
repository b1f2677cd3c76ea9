/* A disk without EDD: function 41h is unknown, so all reads use cylinder, head and sector. */
#include "rom.inc"

        rom_begin
        hook    DISK, OLD_DISK_2, disk
        rom_end

disk:   cmpb    $0x41, %ah
        je      1f
        chain   OLD_DISK_2
1:      refuse  0x01
