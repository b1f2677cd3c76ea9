/* Reserves memory below 640 KB, as the ROMs of many cards did: 128 KB are left. */
#include "rom.inc"

#define LOW_KB 0x413    /* BIOS data area: KB of low memory, what interrupt 12h answers */

        rom_begin
        movw    $128, LOW_KB
        rom_end
