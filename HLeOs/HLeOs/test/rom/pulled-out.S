/* A disk without EDD that is gone once the boot sector has read the second stage: its geometry is
 * known once only. */
#include "rom.inc"

        rom_begin
        hook    DISK, OLD_DISK, disk
        rom_end

disk:   cmpb    $0x41, %ah
        je      1f
        cmpb    $0x08, %ah
        jne     2f
        count_call
        jz      1f
2:      chain   OLD_DISK
1:      refuse  0x01
