/* Kernel modules: another part of the initial ramdisk may bring some, with /modules/order to name
 * them, dependencies first. */
#ifndef INITRAMFS_MODULES_H
#define INITRAMFS_MODULES_H

/* Loads them all, with the parameters that the kernel's command line has for them
 * (kvm_amd.npt=0); one that does not load is named on the console. */
void modules_load(void);

#endif
