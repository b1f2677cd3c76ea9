/* The inputs that led somewhere new, in memory and in a folder; and what crashed, in another. */
#ifndef FUZZ_CORPUS_H
#define FUZZ_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { CORPUS_MAX = 16384 };

struct corpus_input {
    uint8_t *bytes;
    size_t size;
};

struct corpus {
    const char *folder; /* NULL: in memory alone */
    struct corpus_input inputs[CORPUS_MAX];
    unsigned count;
    unsigned number; /* of the last one that was written there */
};

/* Reads the files of `folder`, in the order of their names, up to `most` bytes of each; makes it if
 * it is not there. More than CORPUS_MAX files are refused. */
int corpus_open(struct corpus *corpus, const char *folder, size_t most,
                struct error *error) MUST_CHECK;
void corpus_close(struct corpus *corpus);
/* Keeps a copy; `save`: in the folder too. One too many is dropped. */
int corpus_add(struct corpus *corpus, const uint8_t *bytes, size_t size, bool save,
               struct error *error) MUST_CHECK;

/* Writes FOLDER/NAME, and the folder if it is not there. */
int corpus_write(const char *folder, const char *name, const void *bytes, size_t size,
                 struct error *error) MUST_CHECK;
/* Writes FOLDER/KIND-N, N being the first number above `*number`, with so many `digits` at least,
 * that no file has, nor a text beside it (KIND-N.txt). `*number`: it. */
int corpus_write_new(const char *folder, const char *kind, int digits, unsigned *number,
                     const void *bytes, size_t size, struct error *error) MUST_CHECK;

#endif
