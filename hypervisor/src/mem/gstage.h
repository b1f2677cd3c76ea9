/*
 * The G stage: the page tables that turn a VM's physical addresses into the machine's (Privileged
 * Architecture 15.5.1: Sv39x4 and Sv48x4). Every leaf owns the memory it maps, in 4 KiB, 2 MiB or 1
 * GiB; a shared one may own it together with leaves of other stages, and is not written through
 * (one of the bits that the manual leaves to software says so). Tables come from the page
 * allocator. A look-up needs no lock: it reads each entry once. Its result may be out of date when
 * it is used, as a shared page may be replaced by a copy meanwhile; a caller that depends on it
 * looks it up again. Changes are made one at a time, under the caller's lock. The caller also
 * fences; gstage_map() of an unmapped address needs no fence, as a hart that has cached the invalid
 * entry faults once more and fences then (vm/fault.c).
 */
#ifndef MEM_GSTAGE_H
#define MEM_GSTAGE_H

#include "mem/page.h"

/* Permissions of a mapping, in the places a PTE has them. */
enum { PERM_R = 1 << 1, PERM_W = 1 << 2, PERM_X = 1 << 3, PERM_RWX = PERM_R | PERM_W | PERM_X };

/* Level of a leaf: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB. */
enum { GSTAGE_4K, GSTAGE_2M, GSTAGE_1G, GSTAGE_LEAF_LEVELS };

enum { GSTAGE_OK = 0, GSTAGE_NO_MEMORY = -1, GSTAGE_BAD_ADDRESS = -2, GSTAGE_OCCUPIED = -3 };

struct gstage {
    struct page_account *account; /* what tables and memory are taken on; may be NULL */
    uint64_t *root;               /* 16 KiB, 2048 entries */
    unsigned levels;              /* 3: Sv39x4, 4: Sv48x4 */
    uint64_t tables;              /* pages in tables besides the root */
    uint64_t leaves[GSTAGE_LEAF_LEVELS];
};

struct gstage_leaf {
    gpa_t gpa; /* of its first byte */
    hpa_t hpa;
    unsigned level;
    unsigned perm; /* of a shared one without PERM_W */
    bool shared;
};

static inline uint64_t gstage_size(unsigned level)
{
    return PAGE_4K << (9 * level);
}

/* How many bits of guest physical address `levels` levels translate: 41 or 50. */
static inline unsigned gstage_bits(unsigned levels)
{
    return 12 + 9 * levels + 2;
}

int gstage_init(struct gstage *gs, unsigned levels, struct page_account *account) MUST_CHECK;
/* Frees memory mapped and tables, `budget` blocks at most; true when nothing is left. The hardware
 * must not use the stage any more. */
bool gstage_shrink(struct gstage *gs, unsigned budget) MUST_CHECK;
/* Maps one block; both addresses aligned to the level's size. GSTAGE_OCCUPIED: something is mapped
 * there; nothing is changed. */
int gstage_map(struct gstage *gs, gpa_t gpa, hpa_t hpa, unsigned level, unsigned perm) MUST_CHECK;
/* Maps a page of registers, which is not freed with the stage; call it before the stage is used.
 * Not for a stage with shared pages. */
int gstage_map_device(struct gstage *gs, gpa_t gpa, hpa_t hpa) MUST_CHECK;
/* The most tables below the root that `size` bytes of RAM can need, at any address. */
uint64_t gstage_tables_most(uint64_t size);
bool gstage_lookup(const struct gstage *gs, gpa_t gpa, struct gstage_leaf *leaf);
/* Breaks the block that holds `gpa` into 512 of the next smaller size. */
int gstage_split(struct gstage *gs, gpa_t gpa) MUST_CHECK;
/* The first block that reaches beyond `gpa`, of those that begin before `end`; false for none. */
bool gstage_next(const struct gstage *gs, gpa_t gpa, gpa_t end, struct gstage_leaf *leaf);
/* Makes a block of up to 2 MiB shared, and maps it in another stage too. */
int gstage_share(struct gstage *gs, struct gstage *other,
                 const struct gstage_leaf *leaf) MUST_CHECK;
/* Makes a shared block private to this stage: at the same place, or as the copy at `hpa`. */
void gstage_unshare(struct gstage *gs, gpa_t gpa, hpa_t hpa, unsigned perm);
/* The value of hgatp for this stage. */
uint64_t gstage_hgatp(const struct gstage *gs, unsigned vmid);

/* Calls `step` for the entry of each level, from the root down, as the hardware walks; for
 * reports. */
void gstage_walk(const struct gstage *gs, gpa_t gpa,
                 void (*step)(void *context, unsigned level, hpa_t at, uint64_t entry),
                 void *context);

#endif
