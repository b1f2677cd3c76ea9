/*
 * A program's address space: the lower half of the addresses is its own, the upper half is the
 * kernel's and the same in all. The kernel reaches a program's bytes by these functions alone: they
 * walk its tables, and go through the direct map, so that no bad address can fault. Each space is
 * used by one thread at a time. A kernel built with KPTI=1 gives each a second root for while its
 * program runs: of the kernel's half that has only what takes the processor into the kernel. Two
 * spaces may share a page: then neither may write to it; the first write makes a copy.
 */
#ifndef HLEOS_MEMORY_SPACE_H
#define HLEOS_MEMORY_SPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "memory/address.h"

/* What a program may have: not the first 64 KB, where NULL points, and not the last page, after
 * which no canonical address comes. */
#define SPACE_LOW  UINT64_C(0x10000)
#define SPACE_HIGH UINT64_C(0x00007ffffffff000)

enum space_flags { SPACE_WRITE = 1, SPACE_EXECUTE = 2 };

struct space {
    phys_t root, user_root; /* user_root: 0 without KPTI=1 */
    size_t pages;           /* the program's own, tables not counted */
};

/* False if memory is out. */
bool space_create(struct space *space) __attribute__((warn_unused_result));
/* Frees all of it. The processor leaves it if it is there. */
void space_destroy(struct space *space);
/* Makes the processor use it; with NULL, the kernel's own tables. It forgets what it knew of
 * another one: so what a space maps is known to one processor at most, that of its thread. */
void space_enter(const struct space *space);

/* All of `from` is in `to`, a new space, too: what can be written to is shared until one of them
 * does. False if memory is out; `to` is then to be destroyed. */
bool space_fork(struct space *to, struct space *from) __attribute__((warn_unused_result));
/* For a write that faulted: true if the page is the space's own now, and can be written to. False
 * if it never could be, or if memory is out. */
bool space_unshare(struct space *space, uintptr_t address) __attribute__((warn_unused_result));

/* A zeroed page at a page's address; false if memory is out, the address is not the program's to
 * have, or something is there. */
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
