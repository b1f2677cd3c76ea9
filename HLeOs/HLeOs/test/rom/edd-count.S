/* Every second packet read fails without a transfer, and sets the packet's count to the blocks read, as in EDD 3.0,
 * 4.3.3. */
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
