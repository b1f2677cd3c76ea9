/* A disk on which each read fails the first time. The very first read, that of the boot sector, succeeds, as the BIOS
 * does not repeat it. */
#include "rom.inc"

        rom_begin
        hook    DISK, OLD_DISK, disk
        rom_end

disk:   cmpb    $0x02, %ah
        je      1f
        cmpb    $0x42, %ah
        jne     2f
1:      count_call
        jz      3f
2:      chain   OLD_DISK
3:      refuse  0x10                    /* "uncorrectable CRC error" */
