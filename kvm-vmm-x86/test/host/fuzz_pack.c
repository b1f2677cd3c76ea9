/* libFuzzer: a packed file from outside. No more is unpacked than the expected size, and the pieces
 * come in order. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/address.h"
#include "host/files/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOLDS = 1 << 20 };

static int take(void *context, const uint8_t *bytes, size_t size, uint64_t at)
{
    uint64_t *end = context;
    volatile uint8_t last = bytes[size - 1];

    (void)last;
    if (at != *end || at % PAGE_SIZE != 0 || size > HOLDS - at)
        abort();
    *end += size;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct error error;
    uint64_t end = 0;

    if (fd < 0)
        fd = memfd_create("packed", 0);
    if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size ||
        lseek(fd, 0, SEEK_SET) < 0)
        abort();
    if (pack_read(fd, "packed", HOLDS, take, &end, &error) == 0 && end != HOLDS)
        abort();
    return 0;
}
