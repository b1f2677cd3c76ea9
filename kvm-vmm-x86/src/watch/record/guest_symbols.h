/* The names of a guest's addresses: of the file that --symbols names, or of its own ELF image. */
#ifndef GUEST_SYMBOLS_H
#define GUEST_SYMBOLS_H

#include "host/files.h"
#include "watch/explain/symbols.h"

struct guest_symbols {
    struct file file; /* what the names are in */
    struct symbols table;
    bool known; /* there are some */
};

/* Reads a file that the user named. `bias` is where the guest's code segment begins. */
int guest_symbols_load(struct guest_symbols *symbols, const char *path, uint64_t bias,
                       struct error *error) MUST_CHECK;

/* Takes an image over if it is an ELF file with names in it; no error if not. */
void guest_symbols_take(struct guest_symbols *symbols, struct file *image);

void guest_symbols_release(struct guest_symbols *symbols);

/* For symbols_find and those that take the like; NULL if there are none. */
static inline const struct symbols *guest_symbols_table(const struct guest_symbols *symbols)
{
    return symbols->known ? &symbols->table : NULL;
}

#endif
