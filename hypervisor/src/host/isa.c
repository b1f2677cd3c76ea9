/* ISA strings (RISC-V ISA manual, "ISA Extension Naming Conventions"): letters after the base, then
 * names after underscores. */
#include "host/machine.h"

static bool is_single(const char *extension)
{
    return extension[0] != '\0' && extension[1] == '\0';
}

bool isa_has(const char *isa, const char *extension)
{
    const char *at = isa;
    size_t length = 0;

    while (extension[length] != '\0')
        length++;
    if (at[0] != 'r' || at[1] != 'v')
        return false;
    for (at += 2; *at >= '0' && *at <= '9';)
        at++;
    for (; *at != '\0' && *at != '_'; at++)
        if (is_single(extension) && *at == extension[0])
            return true;
    while (*at == '_') {
        size_t i = 0;

        at++;
        while (i < length && at[i] == extension[i])
            i++;
        if (i == length && (at[i] == '_' || at[i] == '\0'))
            return true;
        while (*at != '\0' && *at != '_')
            at++;
    }
    return false;
}
