/*
 * What the VMM tells the first process of `kvm-vmm run`: strings that end with a zero byte, each a
 * letter and a value.
 *
 *   a WORD       of the command         e NAME=VALUE  of its environment
 *   c FOLDER     where it runs          t             it has a terminal
 *   r TAG        the root, only read    d TAG         the root, as it is
 *   b TYPE       that is a disk, whose serial number is TAG, with such a file system
 *   m TAG        a folder for ...       p FOLDER      ... this place
 *   f            it waits to be forked: a line takes the place of {} in the command's words
 */
#ifndef INITRAMFS_RUN_CONF_H
#define INITRAMFS_RUN_CONF_H

#include <stdbool.h>

enum { CONF_WORDS_MAX = 4096, CONF_MOUNTS_MAX = 8 };

struct conf_mount {
    const char *tag, *place;
};

struct conf {
    char *arguments[CONF_WORDS_MAX + 1], *environment[CONF_WORDS_MAX + 1];
    const char *folder, *root;
    const char *root_type; /* of a disk; NULL: it is a shared folder */
    bool terminal, root_is_written, forked;
    struct conf_mount mounts[CONF_MOUNTS_MAX];
    unsigned mount_count;
};

void conf_read(struct conf *conf);
/* The line takes the place of each {} of the command's words. */
void conf_fill(struct conf *conf, const char *line);

#endif
