/* Numbers, sizes and times, as options and commands take them; see options.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"

bool options_parse_number(const char *text, uint64_t *value, char **end)
{
    if (*text < '0' || *text > '9') /* strtoull would take a sign and blanks */
        return false;
    errno = 0;
    *value = strtoull(text, end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
    return errno == 0;
}

bool options_parse_size(const char *text, uint64_t *size)
{
    static const char suffixes[] = "kmg";
    const char *suffix;
    char *end;

    if (!options_parse_number(text, size, &end))
        return false;
    if (*end != '\0' && (suffix = strchr(suffixes, *end | 0x20)) != NULL && *suffix != '\0') {
        unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);

        if (*size > UINT64_MAX >> shift)
            return false;
        *size <<= shift;
        end++;
    }
    return *end == '\0';
}

/* A number with a unit behind it; seconds without one. */
int options_parse_time(const char *option, const char *text, uint64_t *time, struct error *error)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e9},  {"ns", 1},   {"us", 1e3},   {"ms", 1e6},
                 {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0}};
    unsigned unit = 0;
    char *end;
    double ns = strtod(text, &end);

    while (end != text && units[unit].name != NULL && strcmp(end, units[unit].name) != 0)
        unit++;
    ns *= units[unit].ns;
    if (strspn(text, "0123456789.") == 0 || text[strspn(text, "0")] == 'x' || end == text ||
        units[unit].name == NULL || !isfinite(ns) || ns <= 0)
        return error_set(error, "%s %s: not a time above 0 (8, 2.5s, 300ms, 10m, 1h)", option,
                         text);
    if (ns < 1 || ns > 1e18)
        return error_set(error, "%s %s: not between a nanosecond and 30 years", option, text);
    *time = (uint64_t)ns;
    return 0;
}
