/* The names of a guest's addresses: of the file that --symbols names, or of its own ELF image. */
#ifndef GUEST_SYMBOLS_H
#define GUEST_SYMBOLS_H

#include "host/files.h"
#include "vm/vm.h"
#include "watch/explain/symbols.h"

struct guest_symbols {
    const char *path; /* the file that the user named, or NULL */
    bool wanted;      /* the image's own names are read at the start: somebody shows them */
    struct file file; /* what the names are in */
    struct symbols table;
    bool known; /* there are some */
};

/* Reads a file. `bias` is where the guest's code segment begins. */
int guest_symbols_load(struct guest_symbols *symbols, const char *path, uint64_t bias,
                       struct error *error) MUST_CHECK;

void guest_symbols_release(struct guest_symbols *symbols);

/* Sits at a VM with a struct guest_symbols. A guest that starts again has its names read again. */
extern const struct observer guest_symbols_observer;

/* The guest's names, for symbols_find and those that take the like; NULL if there are none. */
const struct symbols *guest_symbols_of(const struct vm *vm);

#endif
