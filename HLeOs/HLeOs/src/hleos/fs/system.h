/* The file system that the machine runs on. */
#ifndef HLEOS_FS_SYSTEM_H
#define HLEOS_FS_SYSTEM_H

struct fs;

/* Mounts the first one found on a disk: a partition of its type, or a whole disk. From then on a
 * thread writes changes out each second. Must run in a thread, after disk_init(). */
void system_mount(void);
/* NULL if it is not mounted. */
struct fs *system_fs(void);
/* Writes all changes to the disk, before the machine ends. */
void system_sync(void);

#endif
