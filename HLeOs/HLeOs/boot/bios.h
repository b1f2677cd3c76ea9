/* Calls the BIOS from 32-bit C; stage2.S switches to real mode and back for each call. */
#ifndef BOOT_BIOS_H
#define BOOT_BIOS_H

#include <stddef.h>
#include <stdint.h>

/* In the order that popal, then pop %es, pop %ds and the flags use. */
struct bios_registers {
    uint32_t edi, esi, ebp, esp_ignored, ebx, edx, ecx, eax;
    uint16_t es, ds;
    uint32_t eflags; /* out only */
};

_Static_assert(sizeof(struct bios_registers) == 40, "BIOS_FRAME_SIZE in stage2.S");
_Static_assert(offsetof(struct bios_registers, es) == 32, "behind popal's eight");

enum { BIOS_CARRY = 1 };

enum bios_vector {
    BIOS_VIDEO = 0x10,
    BIOS_MEMORY_SIZE = 0x12,
    BIOS_DISK = 0x13,
    BIOS_SYSTEM = 0x15,
};

void bios_call(uint32_t vector, struct bios_registers *registers);

#endif
