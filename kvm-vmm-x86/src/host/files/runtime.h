/*
 * The user's folder for what lives as long as a program: the control sockets of virtual machines
 * that have a name stand in $XDG_RUNTIME_DIR/mini-kvm (XDG Base Directory Specification), or in
 * /run/user/UID/mini-kvm where that is not set.
 */
#ifndef HOST_FILES_RUNTIME_H
#define HOST_FILES_RUNTIME_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "base/error.h"

enum { RUNTIME_NAME_MAX = 48, RUNTIME_LIST_MAX = 256 };

/* The path of a machine's socket. `make`: the folder is made if it is not there, for this user
 * alone. */
int runtime_path(char path[ENDPOINT_PATH_MAX], const char *name, bool make,
                 struct error *error) MUST_CHECK;

/* The names in the folder, sorted; returns how many, at most RUNTIME_LIST_MAX. Without a folder,
 * none. */
unsigned runtime_list(char names[RUNTIME_LIST_MAX][RUNTIME_NAME_MAX + 1]);
/* Removes the socket of a machine that is gone. */
void runtime_forget(const char *name);

#endif
