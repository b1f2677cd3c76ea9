/* The file system that the machine runs on. */
#ifndef HLEOS_FS_SYSTEM_H
#define HLEOS_FS_SYSTEM_H

struct fs;

/* Mounts the first one found on a disk: a partition of its type, or a disk that is all file system.
 * From then on a thread writes changes out each second. Needs disk_init(); in a thread. */
void system_mount(void);
/* NULL if it is not mounted. */
struct fs *system_fs(void);
/* Before the machine ends: all of it is on the disk. */
void system_sync(void);

#endif
