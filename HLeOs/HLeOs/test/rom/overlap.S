/* A memory map that contradicts itself, as some BIOSes' do: after all other entries comes one that
 * reserves 8 MB from 1 MB on, where others have promised RAM. */
#include "rom.inc"

        rom_with_map_entry 0x100000, 0x800000, RESERVED
