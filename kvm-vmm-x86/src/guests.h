/* Brings a guest into being from its files: the kernel or image, and the initial ramdisks that all
 * guests share. */
#ifndef GUESTS_H
#define GUESTS_H

#include "vm.h"

/* Reads guest number `index` of the options and makes its VM; on failure `vm` holds nothing. */
int guests_create(struct vm *vm, unsigned index, const struct options *options,
                  struct error *error) MUST_CHECK;

/*
 * A guest that has reset its machine and is to start again: joins its threads, makes it anew from
 * its files, and starts it. What goes wrong ends it, with status 125. False if there was nothing to
 * do.
 */
bool guests_restart(struct vm *vm, void (*ended)(void));

#endif
