/* Finds files in a cpio archive; see cpio.h. A header is the magic and 13 numbers of 8 hex digits.
 */
#include "lib/cpio.h"

#include "common/string.h"

enum { HEADER_SIZE = 110, FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11 };

bool cpio_is_archive(const void *bytes, size_t size)
{
    return size >= HEADER_SIZE && memcmp(bytes, "070701", 6) == 0;
}

static bool read_field(const uint8_t *header, unsigned index, size_t *value)
{
    const uint8_t *at = header + 6 + index * 8;

    *value = 0;
    for (int i = 0; i < 8; i++) {
        uint8_t c = at[i];
        unsigned digit = c >= '0' && c <= '9'   ? c - '0' + 0u
                         : c >= 'a' && c <= 'f' ? c - 'a' + 10u
                         : c >= 'A' && c <= 'F' ? c - 'A' + 10u
                                                : 16;

        if (digit > 15)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

bool cpio_next(const void *bytes, size_t size, size_t *offset, struct cpio_file *file)
{
    const uint8_t *header = (const uint8_t *)bytes + *offset;
    size_t left, name_size, data_at;

    if (*offset > size || size - *offset < HEADER_SIZE)
        return false;
    left = size - *offset;
    if (!cpio_is_archive(header, left) || !read_field(header, FIELD_FILESIZE, &file->size) ||
        !read_field(header, FIELD_NAMESIZE, &name_size))
        return false;
    if (name_size == 0 || name_size > left - HEADER_SIZE ||
        header[HEADER_SIZE + name_size - 1] != '\0')
        return false;
    data_at = ALIGN_UP(HEADER_SIZE + name_size, 4);
    if (data_at > left || file->size > left - data_at)
        return false;
    file->name = (const char *)header + HEADER_SIZE;
    file->data = header + data_at;
    *offset += min64(ALIGN_UP(data_at + file->size, 4), left);
    if (strcmp(file->name, "TRAILER!!!") == 0)
        return false;
    if (file->name[0] == '.' && file->name[1] == '/')
        file->name += 2;
    return true;
}

bool cpio_find(const void *bytes, size_t size, const char *name, struct cpio_file *file)
{
    size_t offset = 0;

    while (cpio_next(bytes, size, &offset, file))
        if (strcmp(file->name, name) == 0)
            return true;
    return false;
}
