/* Files: names and bytes, all in one folder. They come from the archive in the kernel's image and
 * from that on the disk. What is written to them is held in memory, and kept on the disk if there
 * is one. */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "include/system.h"

struct file {
    char name[NAME_SIZE]; /* empty: this place in the table is not used */
    uint32_t size;
    bool on_disk;
    char *bytes; /* in the archive, or in pages of its own once it was written to */
};

/* What boots. No file that is written, or on a disk, stands for it. */
#define FIRST_PROGRAM "bin/shell"

extern struct file file_table[FILE_MAX];

/* Lists the archives. */
void file_init(void);

/* Returns NULL if it does not exist. */
struct file *file_find(const char *name);

/* Writes at `offset`, no further than the end of the file, and cuts off what lay behind: at 0 it
 * replaces the file, at its size it appends. Creates the file if needed. Returns `length`, or
 * an error and then the file is as it was (but after ERROR_DISK because the disk has failed). */
int file_write(const char *name, uint32_t offset, const void *from, uint32_t length);

int file_remove(const char *name);

#endif
