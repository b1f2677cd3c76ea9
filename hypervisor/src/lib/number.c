/* Reads numbers; see number.h. */
#include "lib/number.h"

static bool digit_value(char c, unsigned base, unsigned *value)
{
    *value = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
             : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
             : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                    : 99;
    return *value < base;
}

static unsigned suffix_shift(char c)
{
    return c == 'K' || c == 'k' ? 10 : c == 'M' || c == 'm' ? 20 : c == 'G' || c == 'g' ? 30 : 0;
}

bool number_parse(const char *text, uint64_t *value)
{
    unsigned base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    unsigned digit, shift;
    uint64_t n = 0;

    if (base == 16)
        text += 2;
    if (!digit_value(*text, base, &digit))
        return false;
    for (; digit_value(*text, base, &digit); text++)
        if (__builtin_mul_overflow(n, (uint64_t)base, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    shift = suffix_shift(*text);
    if (shift != 0)
        text++;
    if (*text != '\0' || (shift != 0 && n >> (64 - shift) != 0))
        return false;
    *value = n << shift;
    return true;
}

/* Reads digits, and moves on; false where there are none. */
static bool take_small(const char **text, unsigned *value)
{
    unsigned digit;

    if (!digit_value(**text, 10, &digit))
        return false;
    for (*value = 0; digit_value(**text, 10, &digit) && *value < 32; ++*text)
        *value = *value * 10 + digit;
    return *value < 32;
}

bool number_parse_set(const char *text, uint32_t *mask)
{
    *mask = 0;
    do {
        unsigned first, last;

        if (!take_small(&text, &first))
            return false;
        last = first;
        if (*text == '-') {
            text++;
            if (!take_small(&text, &last) || last < first)
                return false;
        }
        for (unsigned i = first; i <= last; i++)
            *mask |= 1u << i;
    } while (*text++ == ',');
    return text[-1] == '\0';
}
