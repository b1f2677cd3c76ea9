/*
 * The page walk: from a linear address to a guest-physical one as the MMU does it, with every entry
 * it read and, where it fails, the bit that stopped it.
 *
 * Intel SDM volume 3, chapter 4: 32-bit paging (4.3), PAE (4.4), 4- and 5-level (4.5), rights
 * (4.6), error codes (4.7). Not here: protection keys, and entries that a TLB still holds.
 */
#ifndef EXPLAIN_WALK_H
#define EXPLAIN_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "watch/explain/snapshot.h"
#include "watch/explain/text.h"

enum walk_paging { WALK_OFF, WALK_32BIT, WALK_PAE, WALK_4LEVEL, WALK_5LEVEL };

enum walk_access { WALK_READ, WALK_WRITE, WALK_FETCH };

enum walk_result {
    WALK_OK,
    WALK_NOT_CANONICAL, /* no page fault but #GP or #SS */
    WALK_NO_TABLE,      /* an entry would lie outside RAM */
    WALK_NOT_PRESENT,   /* bit 0 is clear */
    WALK_RESERVED,      /* a bit is set that must be clear */
    WALK_NOT_USER,      /* user code, and bit 2 is clear */
    WALK_READ_ONLY,     /* a write, and bit 1 is clear */
    WALK_NO_EXECUTE,    /* a fetch, and bit 63 is set */
    WALK_SMEP,
    WALK_SMAP /* the kernel uses a user's page */
};

/* Page-fault error code (4.7). */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_RESERVED = 8, PF_FETCH = 16 };

/* One entry that was read. */
struct walk_step {
    const char *table; /* "PML4", "PDPT", "PD", "PT" ... */
    unsigned index;
    gpa_t at;
    uint64_t entry;
};

enum { WALK_STEPS_MAX = 5 };

struct walk {
    gva_t address;
    enum walk_access access;
    bool user; /* made with the rights of level 3 */
    enum walk_paging paging;
    gpa_t root; /* where CR3 points */
    struct walk_step steps[WALK_STEPS_MAX];
    unsigned count;
    enum walk_result result;
    unsigned culprit; /* the step that decided `result` */
    uint64_t bits;    /* and its bits that did */
    uint32_t error_code;
    /* If the page is mapped (OK, or refused for its rights): */
    bool mapped;
    gpa_t gpa;
    uint64_t page_size; /* 0 with paging off */
    bool writable, user_page, executable;
    bool in_ram; /* `gpa` is RAM */
};

enum walk_paging walk_paging(const struct snapshot *s);
const char *walk_paging_name(enum walk_paging paging);

/* Walks with the rights of the code at CS, or with those of `user`. */
struct walk walk_address(const struct snapshot *s, gva_t address, enum walk_access access);
struct walk walk_as(const struct snapshot *s, gva_t address, enum walk_access access, bool user);

/* Where in RAM a linear address lies, whatever the rights; false if it does not. */
bool walk_place(const struct snapshot *s, gva_t address, gpa_t *place);

/* Copies bytes at a linear address, across pages, whatever the rights; the count that could be. */
size_t walk_read(const struct snapshot *s, gva_t address, void *to, size_t length);

/* In words, without a newline: "not present (PD[3] bit 0 is clear)". */
struct words walk_words(const struct walk *walk);

/* The whole walk, a line an entry. */
void walk_print(struct text *text, const struct walk *walk);

#endif
