/*
 * How a kernel resets the machine. Before it does, Linux leaves the BIOS's flag for a warm start at
 * 0x472 (IBM PC/AT technical reference, "BIOS data area"). The command line we propose makes panics
 * warm and reboots cold (reboot=panic_warm, Linux 5.3 and newer), so the flag tells one from the
 * other with no driver in the guest.
 */
#ifndef BOOT_LINUX_RESET_H
#define BOOT_LINUX_RESET_H

#include "base/memory.h"

bool linux_reset_is_warm(const struct memory *memory);

#endif
