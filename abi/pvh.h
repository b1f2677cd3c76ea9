/*
 * What a PVH kernel is given at its entry (EBX points to it; 32-bit protected mode, paging off):
 * Xen's xen/include/public/arch-x86/hvm/start_info.h, version 1. Layouts only.
 */
#ifndef ABI_PVH_H
#define ABI_PVH_H

#include <stdint.h>

#define PVH_START_MAGIC 0x336ec578

enum { PVH_START_VERSION = 1 };
enum { PVH_MEMORY_RAM = 1, PVH_MEMORY_RESERVED = 2 };

struct pvh_start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map; /* guest-physical addresses */
    uint32_t memory_map_entries, reserved;
};

/* The first module is the initial ramdisk. */
struct pvh_module {
    uint64_t address, size, command_line, reserved;
};

struct pvh_memory {
    uint64_t address, size;
    uint32_t type, reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "start_info.h, version 1");
_Static_assert(sizeof(struct pvh_module) == 32, "start_info.h");
_Static_assert(sizeof(struct pvh_memory) == 24, "start_info.h");

#endif
