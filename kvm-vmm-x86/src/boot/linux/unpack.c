/* Unpacks kernels with the usual libraries; see unpack.h. Each function returns whether it got
 * exactly `out_size` bytes. */
#include "boot/linux/unpack.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { SIZE_BYTES = 4 };

/* More than any preset of xz needs; a file that needs more is an error. */
#define LZMA_MEMORY (UINT64_C(256) << 20)

static uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

/*
 * LZ4's legacy frame (doc/lz4_Frame_format.md, "Legacy frame"): a magic number, then blocks of at
 * most 8 MB, each with its packed size before it. Nothing marks the end, so the four bytes of size
 * that a kernel appends look like one more block.
 */
static bool unpack_lz4(const uint8_t *in, uint64_t size, uint8_t *out, uint64_t out_size)
{
    enum { BLOCK = 8 << 20 };
    uint64_t done = 0;

    for (in += 4, size -= 4; size > SIZE_BYTES;) {
        uint32_t packed = word_at(in);
        uint64_t room = out_size - done < BLOCK ? out_size - done : BLOCK;
        int n;

        if (packed > INT32_MAX || packed > size - SIZE_BYTES)
            return false;
        n = LZ4_decompress_safe((const char *)in + SIZE_BYTES, (char *)out + done, (int)packed,
                                (int)room);
        if (n <= 0)
            return false;
        done += (uint64_t)n;
        in += SIZE_BYTES + packed;
        size -= SIZE_BYTES + packed;
    }
    return done == out_size;
}

static bool unpack_zstd(const uint8_t *in, uint64_t size, uint8_t *out, uint64_t out_size)
{
    return ZSTD_decompress(out, out_size, in, size - SIZE_BYTES) == out_size;
}

/* In gzip the four bytes of size are part of the format (RFC 1952, ISIZE). */
static bool unpack_gzip(const uint8_t *in, uint64_t size, uint8_t *out, uint64_t out_size)
{
    enum { GZIP_WRAPPER = 16 };
    z_stream z = {.next_in = (uint8_t *)in, /* zlib's field has no const unless asked */
                  .avail_in = (unsigned)size,
                  .next_out = out,
                  .avail_out = (unsigned)out_size};
    bool good;

    if (inflateInit2(&z, MAX_WBITS + GZIP_WRAPPER) != Z_OK)
        return false;
    good = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == out_size;
    inflateEnd(&z);
    return good;
}

/* Takes .xz and the older .lzma alike. */
static bool unpack_xz(const uint8_t *in, uint64_t size, uint8_t *out, uint64_t out_size)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_ret code;

    if (lzma_auto_decoder(&z, LZMA_MEMORY, 0) != LZMA_OK)
        return false;
    z.next_in = in;
    z.avail_in = size - SIZE_BYTES;
    z.next_out = out;
    z.avail_out = out_size;
    do
        code = lzma_code(&z, LZMA_FINISH);
    while (code == LZMA_OK); /* it ends with an error when there is no room or no input left */
    lzma_end(&z);
    return code == LZMA_STREAM_END && z.avail_out == 0;
}

static bool unpack_bzip2(const uint8_t *in, uint64_t size, uint8_t *out, uint64_t out_size)
{
    unsigned done = (unsigned)out_size;

    return BZ2_bzBuffToBuffDecompress((char *)out, &done, (char *)in, (unsigned)size - SIZE_BYTES,
                                      0, 0) == BZ_OK &&
           done == out_size;
}

static const struct {
    const char *name;
    const char *magic;
    size_t magic_size;
    bool (*unpack)(const uint8_t *in, uint64_t size, uint8_t *out, uint64_t out_size);
} unpack_formats[] = {
    {"lz4", "\x02\x21\x4c\x18", 4, unpack_lz4},
    {"zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd},
    {"gzip", "\x1f\x8b", 2, unpack_gzip},
    {"xz",
     "\xfd"
     "7zXZ",
     6, unpack_xz},
    {"lzma", "\x5d\x00\x00", 3, unpack_xz},
    {"bzip2", "BZh", 3, unpack_bzip2},
};

enum { FORMATS = sizeof unpack_formats / sizeof unpack_formats[0], PACKED_MIN = 16 };

static size_t find_format(const uint8_t *packed, uint64_t size)
{
    size_t i = 0;

    if (size < PACKED_MIN || size > UINT32_MAX)
        return FORMATS;
    while (i < FORMATS &&
           memcmp(packed, unpack_formats[i].magic, unpack_formats[i].magic_size) != 0)
        i++;
    return i;
}

const char *unpack_format(const uint8_t *packed, uint64_t size)
{
    size_t i = find_format(packed, size);

    return i < FORMATS ? unpack_formats[i].name : NULL;
}

uint64_t unpack_size(const uint8_t *packed, uint64_t size)
{
    return size < PACKED_MIN ? 0 : word_at(packed + size - SIZE_BYTES);
}

int unpack(const uint8_t *packed, uint64_t size, uint8_t *out, uint64_t out_size,
           struct error *error)
{
    size_t i = find_format(packed, size);

    if (i == FORMATS)
        return error_set(error, "packed in a format that this VMM does not unpack");
    if (!unpack_formats[i].unpack(packed, size, out, out_size))
        return error_set(error, "the packed kernel in it (%s) is damaged", unpack_formats[i].name);
    return 0;
}
