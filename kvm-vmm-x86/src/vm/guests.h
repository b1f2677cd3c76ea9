/* Brings a guest into being from its files: the kernel or image, and the initial ramdisks that all
 * guests share. */
#ifndef GUESTS_H
#define GUESTS_H

#include "vm/vm.h"
#include "watch/gdb/server.h"

/* Reads guest number `index` of the options and makes its VM, and where its debugger may connect
 * (`server` NULL: nowhere); on failure `vm` holds nothing. */
int guests_create(struct vm *vm, struct debug_server *server, unsigned index,
                  const struct options *options, struct error *error) MUST_CHECK;

/* Starts the VM, and then serves debuggers. `ended`: see vm_start. */
int guests_start(struct vm *vm, struct debug_server *server, void (*ended)(void),
                 struct error *error) MUST_CHECK;

/*
 * A guest that has reset its machine and is to start again: joins its threads, makes it anew from
 * its files, and starts it; a debugger may connect anew. What goes wrong ends it, with status 125.
 * False if there was nothing to do.
 */
bool guests_restart(struct vm *vm, struct debug_server *server, void (*ended)(void));

#endif
