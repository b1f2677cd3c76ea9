/* ISA strings (RISC-V ISA manual, "ISA Extension Naming Conventions"): letters after the base, then
 * names after underscores. */
#include "lib/isa.h"

#include "common/string.h"

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

/* Appends either the names of a single letter, or the longer ones, each after an underscore. */
static size_t append(const char *names, size_t size, bool single, char *isa, size_t used)
{
    for (size_t at = 0, length; at < size; at += length + 1) {
        length = strnlen(names + at, size - at);
        if (length == 0 || (length == 1) != single || used + length + 2 > ISA_SIZE)
            continue;
        if (!single)
            isa[used++] = '_';
        memcpy(isa + used, names + at, length);
        used += length;
    }
    return used;
}

void isa_join(const char *names, size_t size, char isa[ISA_SIZE])
{
    size_t used = 4;

    memcpy(isa, "rv64", used);
    used = append(names, size, true, isa, used);
    used = append(names, size, false, isa, used);
    isa[used] = '\0';
}
