/* A disk without EDD that disappears after the boot sector has read the second stage: the call for its geometry works
 * only once. */
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
