/* Files: names and bytes, all in one folder. They come from the archive in the kernel's image, and
 * what is written to them is held in memory. */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "include/system.h"

enum { FILE_MAX = 64 };

struct file {
    char name[NAME_SIZE]; /* empty: the slot is unused */
    uint32_t size;
    const uint8_t *original; /* the bytes in the image, for a file that was never written to */
    uint8_t **pages;         /* else a page of pointers to pages; NULL while the file is empty */
};

/* Lists the archive. */
void file_init(void);

/* Where files are kept, in words. */
const char *file_store(void);

/* Returns NULL if there is none. */
struct file *file_find(const char *name);

/* The `index`th file, counting only those that exist; NULL past the last. */
const struct file *file_at(unsigned index);

/* Reads up to `length` bytes; returns how many there were. */
int file_read(const struct file *file, uint32_t offset, void *to, uint32_t length);

/* Writes at `offset`, no further than the end of the file, and cuts off what lay behind: at 0 it
 * replaces the file, at its size it appends. Makes the file if there is none. Returns `length` or
 * an error, and then the file ends where memory did. */
int file_write(const char *name, uint32_t offset, const void *from, uint32_t length);

int file_remove(const char *name);

#endif
