/*
 * A snapshot as an ELF core file, for gdb and crash: what kdump and QEMU's dump-guest-memory write.
 * System V ABI, chapters 4 and 5; the registers' note as Linux has it (struct elf_prstatus).
 */
#ifndef SNAPSHOT_VMCORE_H
#define SNAPSHOT_VMCORE_H

#include "snapshot/still.h"

/* Writes it to `path`, which must not be there; pages of zeroes are holes. With paging on, memory
 * has the addresses that the first vCPU sees it at; of Linux, the first that runs the kernel. */
int snapshot_vmcore_write(const struct snapshot_still *still, const char *path,
                          struct error *error) MUST_CHECK;

#endif
