/* Walks a ustar archive (POSIX.1-2017, pax, "ustar Interchange Format"). */
#include "kernel/file/tar.h"

#include <stddef.h>

#include "common/string.h"

enum { BLOCK = 512, ORDINARY_FILE = '0' };

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], rest[249];
};
_Static_assert(sizeof(struct header) == BLOCK, "POSIX.1-2017, pax, table 4-14");

static uint32_t octal(const char *digits, size_t count)
{
    uint32_t value = 0;

    for (size_t i = 0; i < count && digits[i] >= '0' && digits[i] <= '7'; i++)
        value = value * 8 + (uint32_t)(digits[i] - '0');
    return value;
}

bool tar_next(const uint8_t *archive, uint32_t length, uint32_t *position, struct tar_entry *entry)
{
    while (length - *position >= BLOCK) {
        const struct header *h = (const struct header *)(archive + *position);
        uint32_t room = length - *position - BLOCK;
        uint32_t size = octal(h->size, sizeof h->size);

        if (memcmp(h->magic, "ustar", sizeof h->magic) != 0 || size > room)
            return false;
        *entry = (struct tar_entry){h->name, (const uint8_t *)(h + 1), size};
        size = (size + BLOCK - 1) & -(uint32_t)BLOCK;
        *position += BLOCK + (size < room ? size : room);
        if (h->type == ORDINARY_FILE && memchr(h->name, '\0', sizeof h->name) != NULL)
            return true;
    }
    return false;
}
