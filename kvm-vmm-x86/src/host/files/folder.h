/*
 * A folder that is there as a whole or not at all: its files are written to PATH.tmp, which becomes
 * PATH at the end. Files are sparse: pages of zeroes are left out. One program makes the folder and
 * its files; another, which may be in a sandbox without access to the folder, gets their
 * descriptors and writes to them.
 *
 * Each file has a sum, zlib's CRC-32 of every page that is not all zeroes, each behind its number
 * (64 bits, little-endian), and of the file's size behind them: it is the same whether zeroes are
 * holes or written.
 *
 */
#ifndef HOST_FILES_FOLDER_H
#define HOST_FILES_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"

enum { FOLDER_PATH_MAX = 1024, FOLDER_NAME_MAX = 24, FOLDER_FILES_MAX = 32 };

struct folder_files {
    char names[FOLDER_FILES_MAX][FOLDER_NAME_MAX];
    int fds[FOLDER_FILES_MAX]; /* -1: closed */
    unsigned count;
};

struct folder {
    char path[FOLDER_PATH_MAX];
    struct folder_files files;
    bool written[FOLDER_FILES_MAX];
    const bool *stop; /* atomic: writing is given up once it is set */
};

/* Takes ownership of the descriptors of the files to be written. */
void folder_open(struct folder *folder, const char *path, const struct folder_files *files,
                 const bool *stop);
/* Closes those that are not closed yet. */
void folder_close_files(struct folder_files *files);
/* Adds them to those of `to`, which has room. */
void folder_move_files(struct folder_files *to, struct folder_files *from);
/* A guest's memory, slot behind slot. */
struct folder_memory {
    const struct memory *memory;
    uint64_t *const *logs; /* of each slot, the pages to be written; NULL: all; a NULL: none */
    bool packed;           /* by zstd, host/files/pack.h; with `logs` one page behind another */
};
/* Write one file: from bytes, a guest's memory, or a file of the host. */
int folder_put(struct folder *folder, const char *name, const void *bytes, size_t size,
               uint32_t *sum, struct error *error) MUST_CHECK;
int folder_put_memory(struct folder *folder, const char *name, const struct folder_memory *from,
                      uint32_t *sum, struct error *error) MUST_CHECK;
int folder_put_file(struct folder *folder, const char *name, int fd, uint64_t size, uint32_t *sum,
                    struct error *error) MUST_CHECK;
/* PATH/NAME. False: too long. */
bool folder_join(char joined[FOLDER_PATH_MAX], const char *path, const char *name) MUST_CHECK;

/* The sum of such a file. */
uint32_t folder_sum_bytes(const void *bytes, size_t size);
/* The sum of PATH/NAME, which must have that size. */
int folder_sum(const char *path, const char *name, uint64_t size, uint32_t *sum,
               struct error *error) MUST_CHECK;
/* The same of what it holds packed, which must have that size. */
int folder_sum_packed(const char *path, const char *name, uint64_t size, uint32_t *sum,
                      struct error *error) MUST_CHECK;
/* Writes what PATH/NAME holds beside holes to the same places of `fd`. */
int folder_copy(const char *path, const char *name, int fd, struct error *error) MUST_CHECK;

/* The absolute path of an existing file. */
int folder_real_path(char real[FOLDER_PATH_MAX], const char *path, size_t length,
                     struct error *error) MUST_CHECK;
/* The absolute path of a file that need not exist. */
int folder_full_path(char full[FOLDER_PATH_MAX], const char *path, struct error *error) MUST_CHECK;

#endif
