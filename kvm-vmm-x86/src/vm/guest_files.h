/* The files that a guest is made of: its image, its initial ramdisks, and the kernel that firmware
 * is to start. */
#ifndef VM_GUEST_FILES_H
#define VM_GUEST_FILES_H

#include "base/config.h"
#include "boot/loader.h"
#include "host/files/files.h"

/* The bytes of a guest's files, while it is made of them. */
struct guest_files {
    struct boot_files boot;
    struct file image, kernel, initrds[INITRDS_MAX];
    char *paths[INITRDS_MAX]; /* of those that were given a name */
};

/* FILE or FILE=NAME: where the = before the name is; NULL: no name. A path that is there as a whole
 * has no name behind it; else FILE is the shortest that is there, so that a name may have an = too.
 */
const char *guest_files_initrd_mark(const char *what);

/* Reads them. After -1, too, call guest_files_release. */
int guest_files_load(struct guest_files *files, const struct guest_config *config,
                     struct error *error) MUST_CHECK;
/* Fails if a file was changed while it was read. */
int guest_files_check(const struct guest_files *files, struct error *error) MUST_CHECK;
void guest_files_release(struct guest_files *files);

#endif
