/*
 * A file packed by zstd, as one frame with a checksum: `zstd -d` unpacks it as well. Gaps between
 * writes are zeroes. Input is untrusted.
 */
#ifndef HOST_FILES_PACK_H
#define HOST_FILES_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pack;

/* Packs into `fd`, which the caller still owns, until *stop is set. NULL: out of memory. */
struct pack *pack_open(int fd, const bool *stop);
/* Bytes that belong at `at`, which is not before the end of the former ones. -1: errno. */
int pack_write(struct pack *pack, const uint8_t *bytes, size_t size, uint64_t at) MUST_CHECK;
/* Ends the frame; the unpacked size is `size`. -1: errno. */
int pack_end(struct pack *pack, uint64_t size) MUST_CHECK;
void pack_close(struct pack *pack);

/* Calls `each` with what is unpacked, piece by piece in order: all but the last are of a multiple
 * of the page size, and begin at one. It is an error if `each` says -1, with errno, or if that is
 * not `size` bytes; `name` is the file's, for messages. */
int pack_read(int fd, const char *name, uint64_t size,
              int (*each)(void *context, const uint8_t *bytes, size_t size, uint64_t at),
              void *context, struct error *error) MUST_CHECK;

#endif
