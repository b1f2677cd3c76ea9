/* Every other packet read fails with nothing transferred, and the packet then says how many blocks
 * came, as EDD 3.0, 4.3.3 has it. */
#include "rom.inc"

#define BLOCKS 2        /* offset of the count in the packet at DS:SI */

        rom_begin
        hook    DISK, OLD_DISK, disk
        rom_end

disk:   cmpb    $0x42, %ah
        jne     1f
        count_call
        jnz     2f
1:      chain   OLD_DISK
2:      movw    $0, BLOCKS(%si)
        refuse  0x10                    /* "uncorrectable CRC error" */
