/*
 * The layout of low memory when a Linux kernel is entered. All of it is RAM to the kernel: it
 * copies what it wants to keep before it hands out memory. What must stay (ACPI) lies above 640 KB,
 * which the map calls reserved.
 */
#ifndef CPU_LINUX_H
#define CPU_LINUX_H

#include "base/address.h"

#define LINUX_GDT          UINT64_C(0x1000)
#define LINUX_ZERO_PAGE    UINT64_C(0x2000) /* struct boot_params */
#define LINUX_START_INFO   UINT64_C(0x3000) /* struct hvm_start_info and its tables */
#define LINUX_PAGE_TABLES  UINT64_C(0x4000) /* PML4, PDPT, four directories */
#define LINUX_STACK_TOP    UINT64_C(0x10000)
#define LINUX_COMMAND_LINE UINT64_C(0x20000)

/* The gap of a PC between conventional memory and 1 MB: reserved in the kernel's memory map, but
 * RAM. */
#define LINUX_GAP_START UINT64_C(0x9fc00)
#define LINUX_GAP_END   MIB

/* Room for a command line, its end included: what lies between it and the gap is more than any
 * kernel takes. */
enum { LINUX_COMMAND_LINE_ROOM = 64 * 1024 };

#endif
