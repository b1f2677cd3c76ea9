/* A BIOS that treats each boot sector as that of a FAT file system: it fills in the sector's parameter block, from
 * "bytes per sector" to FAT32's last field. */
#include "rom.inc"

#define BOOT_SEGMENT 0x07c0
#define BLOCK_BEGIN  11
#define BLOCK_END    90

        rom_begin
        hook    DISK, OLD_DISK, disk
        rom_end

disk:   cmpb    $0x02, %ah
        jne     1f
        pushw   %ax
        movw    %es, %ax
        cmpw    $BOOT_SEGMENT, %ax
        popw    %ax
        je      2f
1:      chain   OLD_DISK
2:      pushw   %ds
        pushw   $0
        popw    %ds
        pushfw
        lcall   *OLD_DISK
        popw    %ds
        jc      3f
        pushaw
        movw    $BLOCK_BEGIN, %di
        movw    $BLOCK_END - BLOCK_BEGIN, %cx
        movb    $0xf4, %al              /* HLT, in case it is executed */
        cld
        rep stosb
        popaw
        grant
3:      refuse  0x20
