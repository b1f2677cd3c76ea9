/* The host's files that commands may write: /tmp, the current folder and the repository, and their
 * freshness.
 *
 * The machine's root is the host's, read-only. A second share of it is writable; a command sees
 * three folders of that, each at its own path, by bind mounts in its own mount namespace (cage.h).
 *
 * The kernel's 9p keeps the name, inode and mapped pages of a file as long as anybody uses it, and
 * never asks whether the host has put another file in its place. So while a program runs, starting
 * it again gets the old one, or, if it was rebuilt meanwhile, a mixture of both that dies by
 * SIGSEGV. What is mounted a second time knows nothing of the first: the writable share therefore
 * exists several times over, and once a running command is seen to use a file that is no longer the
 * host's, later commands get another mount. A command keeps the mount it began with. */
#ifndef LAB_AGENT_SHARE_H
#define LAB_AGENT_SHARE_H

#include <stdbool.h>

/* Before there are lines: mounts the share. Negative: errno says why. */
__attribute__((warn_unused_result)) int share_mount(const char *repository);

/* For a line, before a command starts: sees to it that the mount is good for a new command, and
 * keeps the other lines from changing it until share_release(). Negative if every mount is in use
 * by commands that began before a change. */
__attribute__((warn_unused_result)) int share_hold(void);
void share_release(void);

/* For the process that becomes the command, in its own mount namespace: binds the three folders,
 * and in the end puts the rest of the share out of sight. */
void share_enter(const char *directory);
void share_leave(void);
/* Whether a path exists on the host but not for the command. Between enter and leave. */
bool share_lacks(const char *path);

#endif
