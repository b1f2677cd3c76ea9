/* The file systems of a guest of `kvm-vmm run`. */
#ifndef INITRAMFS_RUN_ROOT_H
#define INITRAMFS_RUN_ROOT_H

#include "initramfs/run/conf.h"

/* /proc, /sys and /dev of the initial ramdisk. */
void root_prepare(void);
/* The host's folders, or a disk, in the ramdisk's place, with what a program expects beside them.
 * /run.script of the ramdisk, if there is one, becomes /run/script. */
void root_change(const struct conf *conf);
/* A disk that is the root and was written is whole when the machine ends. Ends every other process.
 */
void root_end(const struct conf *conf);

#endif
