/* Mounts the file systems that programs expect; see mounts.h. */
#include "initramfs/init/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static const struct {
    const char *type, *target, *data;
    unsigned long flags;
} mounts[] = {
    {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
    {"devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
    {"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV},
    {"tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV},
};

void mounts_make(void)
{
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        mkdir(mounts[i].target, 0755); /* folders below /dev are made in the new mount */
        if (mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
                  mounts[i].data) != 0)
            fprintf(stderr, "init: cannot mount %s: %s\n", mounts[i].target, strerror(errno));
    }
}
