/*
 * The images a guest can be: Linux's Image (Documentation/arch/riscv/boot-image-header), ELF, or
 * flat bytes. image_plan() looks at the bytes, which may lie, and says what goes where; copying is
 * the caller's. Pure.
 */
#ifndef VM_IMAGE_H
#define VM_IMAGE_H

#include "lib/types.h"
#include "mem/gstage.h"

enum { IMAGE_SEGMENTS_MAX = 8 };
enum image_kind { IMAGE_LINUX, IMAGE_ELF, IMAGE_FLAT };

struct image_segment {
    size_t offset, size; /* in the file */
    gpa_t at;            /* relative to RAM's base for Linux, else absolute */
    uint64_t memory_size;
    unsigned perm; /* PERM_RWX where the format does not say */
};

struct image_plan {
    enum image_kind kind;
    gpa_t entry;   /* relative like the segments */
    gpa_t lowest;  /* of all segments */
    gpa_t highest; /* end of the last */
    unsigned count;
    struct image_segment segment[IMAGE_SEGMENTS_MAX];
};

/* NULL, or one phrase that says what is wrong. `load` and `entry` are a flat image's; ~0: at 0 of
 * RAM, which makes its addresses relative. */
const char *image_plan(const void *bytes, size_t size, uint64_t load, uint64_t entry,
                       struct image_plan *plan);

/* Are the addresses relative to RAM's base? */
bool image_is_relative(const struct image_plan *plan, uint64_t load);

#endif
