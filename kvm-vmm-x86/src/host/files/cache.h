/*
 * Files that save work in later runs, and that may be deleted at any time:
 * $XDG_CACHE_HOME/mini-kvm, or ~/.cache/mini-kvm (XDG Base Directory Specification). Only files
 * that belong to this user and that no other user may write are taken.
 */
#ifndef HOST_FILES_CACHE_H
#define HOST_FILES_CACHE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Maps a file of the cache, to read; NULL if it does not exist, or is not ours. Ends with
 * cache_unmap, which is false if the file was cut short meanwhile and read as zeroes. */
const uint8_t *cache_map(const char *name, size_t *size);
bool cache_unmap(const uint8_t *bytes, size_t size);

/* Writes `head`, zeroes up to `offset`, and `bytes` under a name, whole or not at all. Removes the
 * oldest files that begin with `family`, so that at most `most` are left. False if the file could
 * not be written. */
struct cache_write {
    const char *name, *family;
    unsigned most;
    const void *head;
    size_t head_size, offset;
    const uint8_t *bytes;
    size_t size;
};
bool cache_write(const struct cache_write *write) MUST_CHECK;

/* The cache's secret random number, made at the first call. False if there is no cache, or other
 * users may read its file. */
bool cache_secret(const char *name, uint8_t *bytes, size_t size) MUST_CHECK;

/* Where it is: `path`, filled in, or NULL if the environment names no place. */
const char *cache_folder(char path[PATH_MAX]);

#endif
