/* A memory map that lists the same RAM twice: the last entry is a usable one of 64 KB in the middle of the largest. */
#include "rom.inc"

        rom_with_map_entry 0x2001000, 0x10000, USABLE
