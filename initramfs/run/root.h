/* The file systems of a guest of `kvm-vmm run`. */
#ifndef INITRAMFS_RUN_ROOT_H
#define INITRAMFS_RUN_ROOT_H

#include "initramfs/run/conf.h"

/* /proc, /sys and /dev of the initial ramdisk. */
void root_prepare(void);
/* The host's folders in the ramdisk's place, with what a program expects beside them. */
void root_change(const struct conf *conf);

#endif
