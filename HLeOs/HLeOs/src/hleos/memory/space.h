/*
 * A program's address space: the lower half of the addresses is its own, the upper half is the
 * kernel's and the same in all. The kernel accesses a program's bytes only by these functions: they
 * walk its tables and use the direct map, so that no bad address can fault. Each space is used by
 * one thread at a time. A kernel built with KPTI=1 gives each a second root, used while its program
 * runs: it maps only the part of the kernel that is needed to enter it. Two spaces may share a
 * page: then neither may write to it; the first write makes a copy.
 */
#ifndef HLEOS_MEMORY_SPACE_H
#define HLEOS_MEMORY_SPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "memory/address.h"

/* The addresses for programs: without the first 64 KB, where NULL points, and without the last page
 * before the non-canonical addresses. */
#define SPACE_LOW  UINT64_C(0x10000)
#define SPACE_HIGH UINT64_C(0x00007ffffffff000)

enum space_flags { SPACE_WRITE = 1, SPACE_EXECUTE = 2 };

struct space {
    phys_t root, user_root; /* user_root: 0 without KPTI=1 */
    size_t pages;           /* the program's own, tables not counted */
};

/* False if memory is out. */
bool space_create(struct space *space) __attribute__((warn_unused_result));
/* Frees all of it; if it is the current space, switches to the kernel's tables first. */
void space_destroy(struct space *space);
/* Switches the processor to it; with NULL, to the kernel's tables. This flushes the TLB of the old
 * space, so only the processor of a space's thread can have its translations. */
void space_enter(const struct space *space);

/* Copies `from` to `to`, a new space: writable pages are shared until one of the two writes. False:
 * out of memory; `to` must then be destroyed. */
bool space_fork(struct space *to, struct space *from) __attribute__((warn_unused_result));
/* For a write that faulted: copies a shared page; true if it can be written now. False if it is not
 * writable, or out of memory. */
bool space_unshare(struct space *space, uintptr_t address) __attribute__((warn_unused_result));

/* A zeroed page at a page's address; false if memory is out, the address is not for programs, or
 * something is mapped there. */
bool space_map(struct space *space, uintptr_t address, unsigned flags)
    __attribute__((warn_unused_result));
/* Does nothing where nothing is mapped. */
void space_unmap(struct space *space, uintptr_t address);

/* False if a byte of the range is not mapped to the program, or, for space_copy_out(), not writable
 * to it; what lies before that byte has been copied then. space_fill() writes where the program
 * cannot, too: to pages that are not shared. */
bool space_copy_in(const struct space *space, void *to, uintptr_t from, size_t size)
    __attribute__((warn_unused_result));
bool space_copy_out(struct space *space, uintptr_t to, const void *from, size_t size)
    __attribute__((warn_unused_result));
bool space_fill(struct space *space, uintptr_t to, const void *from, size_t size)
    __attribute__((warn_unused_result));
/* A text with its end, at most `room` bytes; its length, or -1 if it is not all the program's or
 * longer. */
long space_copy_text(const struct space *space, char *to, uintptr_t from, size_t room)
    __attribute__((warn_unused_result));

#endif
