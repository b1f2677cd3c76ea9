// The repository as commands see it, and its freshness.
//
// The kernel's 9p keeps the name, inode and mapped pages of a file as long as anybody uses it, and
// never asks whether the host has put another file in its place. So while a program runs, who
// starts it anew gets the old one, or, if it was rebuilt meanwhile, a mixture of both that dies by
// SIGSEGV. What is mounted a second time knows nothing of the first: the repository is therefore
// shared several times over, and once a running command is seen to use a file that is no longer the
// host's, later commands get another mount. Every command has a mount namespace of its own (cage.h)
// and keeps the mount it began with.
#ifndef LAB_AGENT_SHARE_H
#define LAB_AGENT_SHARE_H

// Before there are lines: mounts the repository at its place. Negative: errno says why.
__attribute__((warn_unused_result)) int share_mount(const char *repository);

// For a line, before a command starts: sees to it that the mount is good for a new command, and
// keeps the other lines from changing it until share_release(). Negative if every mount is in use
// by commands that began before a change.
__attribute__((warn_unused_result)) int share_hold(void);
void share_release(void);

#endif
