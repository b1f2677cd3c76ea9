/*
 * Landlock: which files the program can open once it is set up. Files that may have to be opened
 * again are allowed when they are first opened; all others cannot be opened, even by a thread under
 * the guest's control. Open files stay open. Linux, Documentation/userspace-api/landlock.rst.
 */
#ifndef HOST_SANDBOX_LANDLOCK_H
#define HOST_SANDBOX_LANDLOCK_H

#include <stdbool.h>

#include "base/error.h"

enum landlock_use {
    LANDLOCK_READ,         /* a file or a device */
    LANDLOCK_WRITE,        /* a file or a device, to be read and written */
    LANDLOCK_READ_FOLDER,  /* all beneath a folder */
    LANDLOCK_WRITE_FOLDER, /* the same, where files are also made, moved and removed */
    LANDLOCK_LIST,         /* which names there are beneath a folder */
    LANDLOCK_REMOVE,       /* what is beneath a folder may be removed */
};

/* Collects what is allowed from now on, if the kernel has Landlock. */
void landlock_begin(void);

/* The same, but nothing will be forbidden: landlock_would_allow tells what would be. */
void landlock_begin_learning(void);

/* What is done with a file. */
enum landlock_action {
    LANDLOCK_TO_READ,
    LANDLOCK_TO_WRITE,
    LANDLOCK_TO_LIST,
    LANDLOCK_TO_MAKE,
    LANDLOCK_TO_REMOVE,
};

/* Whether that could be done with what `path` leads to, a path from the root on without links; of a
 * file that is made or removed, its folder. A file that cannot be examined: yes. */
bool landlock_would_allow(const char *path, enum landlock_action action);

/* Allows `use` of what `fd` is open for. It does nothing without landlock_begin, after
 * landlock_enter, for -1, and for pipes and the like, which are in no file system. Until
 * landlock_enter for the main thread alone. */
void landlock_allow(int fd, enum landlock_use use);

/* The same by a path, which may not exist. */
void landlock_allow_path(const char *path, enum landlock_use use);

/* From now on the calling thread and those that it starts can open only what was allowed. 1: in
 * force; 0: the kernel has no Landlock; -1: an error. */
int landlock_enter(struct error *error) MUST_CHECK;

/* Whether it is in force. Then a file that replaces another under its name is not allowed
 * either. */
bool landlock_is_entered(void);

#endif
