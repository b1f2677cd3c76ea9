/*
 * The image of a guest, kept to find names for its addresses and to run it again. The names are
 * those of the file that --symbols names, or of the image itself.
 */
#ifndef EXPLAIN_GUEST_IMAGE_H
#define EXPLAIN_GUEST_IMAGE_H

#include "host/files/files.h"
#include "vm/vm.h"
#include "watch/explain/symbols.h"

struct guest_image {
    const char *symbols_path; /* the file that the user named, or NULL */
    struct file image;        /* without its bytes, if they can be read again */
    struct file symbols_file; /* what the names are in */
    struct symbols symbols;
    bool looked; /* for the image's own names */
    struct error why_none;
};

/* Its context is a struct guest_image. A guest that starts again loads its image again. */
extern const struct observer guest_image_observer;
void guest_image_release(struct guest_image *image);

/* The guest's names, for symbols_find and those that take the like; NULL if there are none. Those
 * of the image are read at the first call: one thread at a time. */
const struct symbols *guest_image_symbols(const struct vm *vm);

/* Why an ELF image gave no names, after guest_image_symbols; NULL if it did, or is not ELF. */
const char *guest_image_no_symbols(const struct vm *vm);

/* Reads the image of a VM again. It is an error if it came from a pipe or was written to since. */
int guest_image_load_again(const struct vm *vm, struct file *again, struct error *error) MUST_CHECK;

#endif
