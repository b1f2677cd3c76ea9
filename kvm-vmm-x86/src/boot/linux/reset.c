/* Reads the warm-start flag; see reset.h. */
#include "boot/linux/reset.h"

enum { FLAG = 0x472, WARM = 0x1234 };

bool linux_reset_is_warm(const struct memory *memory)
{
    uint16_t flag;

    return memory_read(memory, FLAG, &flag, sizeof flag) && flag == WARM;
}
