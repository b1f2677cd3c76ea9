/* Random bytes of the host; see random.h. */
#include "host/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

bool random_fill(void *bytes, size_t size)
{
    uint8_t *at = bytes;

    while (size > 0) {
        ssize_t n = getrandom(at, size, GRND_NONBLOCK);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return true;
}
