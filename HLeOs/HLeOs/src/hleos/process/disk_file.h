/* Files and directories of the system's file system (fs/fs.h) as a process's files. */
#ifndef HLEOS_PROCESS_DISK_FILE_H
#define HLEOS_PROCESS_DISK_FILE_H

#include "process/file.h"

struct inode;

/* Opens what a path leads to from a directory. `how`: enum hleos_open. 0, or an error of fs/fs.h;
 * the file is NULL then. DISK_FILE_DEVICE: the path names that device; the file is NULL, too. */
enum { DISK_FILE_DEVICE = 1 };
int disk_file_open(struct inode *from, const char *path, unsigned how, struct file **file,
                   uint32_t *device) __attribute__((warn_unused_result));

#endif
