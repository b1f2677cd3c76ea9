/* The file systems that every program expects. */
#ifndef INITRAMFS_MOUNTS_H
#define INITRAMFS_MOUNTS_H

/* Mounts them. One that the kernel cannot give is named on the console, and done without. */
void mounts_make(void);

#endif
