/*
 * The target's side of AFL++'s fork server protocol over descriptors 198 and 199, and the bitmap in
 * shared memory that __AFL_SHM_ID names (AFL++: docs of persistent mode, include/types.h). Nothing
 * is forked: each input begins at the snapshot.
 */
#ifndef FUZZ_AFL_H
#define FUZZ_AFL_H

#include "fuzz/guest.h"

/* Whether AFL++ has started this program. */
bool afl_is_there(void);

/* Serves AFL++ until it closes the connection. Each input is read from the start of standard input,
 * or from `path`. 0: closed; -1: an error. */
int afl_serve(struct guest *guest, const char *path, struct error *error);

#endif
