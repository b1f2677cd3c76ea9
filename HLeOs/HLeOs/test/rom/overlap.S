/* A memory map that contradicts itself, as with some BIOSes: the last entry reserves 8 MB from 1 MB on, which other
 * entries list as RAM. */
#include "rom.inc"

        rom_with_map_entry 0x100000, 0x800000, RESERVED
