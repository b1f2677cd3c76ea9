/* Whether a text is one JSON value (RFC 8259) in valid UTF-8: written apart from the writer it
 * checks, and as strict as the specification. */
#ifndef TEST_JSON_CHECK_H
#define TEST_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json {
    const unsigned char *at, *end;
    unsigned depth;
};

static inline bool json_value(struct json *j);

static inline void json_blanks(struct json *j)
{
    while (j->at < j->end && strchr(" \t\r\n", *j->at) != NULL && *j->at != '\0')
        j->at++;
}

static inline bool json_take(struct json *j, char c)
{
    json_blanks(j);
    if (j->at >= j->end || *j->at != (unsigned char)c)
        return false;
    j->at++;
    return true;
}

static inline bool json_hex(struct json *j, unsigned digits)
{
    while (digits-- > 0) {
        if (j->at >= j->end || *j->at == '\0' || strchr("0123456789abcdefABCDEF", *j->at) == NULL)
            return false;
        j->at++;
    }
    return true;
}

/* RFC 3629, section 4, row by row. */
static inline bool json_utf8(struct json *j)
{
    static const struct {
        unsigned char first, last, low, high;
        unsigned more;
    } rows[] = {{0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
                {0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2},
                {0xee, 0xef, 0x80, 0xbf, 2}, {0xf0, 0xf0, 0x90, 0xbf, 3},
                {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3}};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        if (*j->at < rows[r].first || *j->at > rows[r].last)
            continue;
        for (unsigned i = 1; i <= rows[r].more; i++) {
            unsigned char low = i == 1 ? rows[r].low : 0x80, high = i == 1 ? rows[r].high : 0xbf;

            if (j->at + i >= j->end || j->at[i] < low || j->at[i] > high)
                return false;
        }
        j->at += rows[r].more + 1;
        return true;
    }
    return false;
}

static inline bool json_string(struct json *j)
{
    if (!json_take(j, '"'))
        return false;
    while (j->at < j->end && *j->at != '"') {
        if (*j->at < 0x20)
            return false;
        if (*j->at >= 0x80) {
            if (!json_utf8(j))
                return false;
        } else if (*j->at++ == '\\') {
            if (j->at >= j->end || *j->at == '\0' || strchr("\"\\/bfnrtu", *j->at) == NULL)
                return false;
            if (*j->at++ == 'u' && !json_hex(j, 4))
                return false;
        }
    }
    return j->at++ < j->end;
}

static inline bool json_digits(struct json *j)
{
    const unsigned char *from = j->at;

    while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
        j->at++;
    return j->at > from;
}

static inline bool json_number(struct json *j)
{
    const unsigned char *from;

    if (j->at < j->end && *j->at == '-')
        j->at++;
    from = j->at;
    if (!json_digits(j) || (*from == '0' && j->at > from + 1))
        return false;
    if (j->at < j->end && *j->at == '.') {
        j->at++;
        return json_digits(j);
    }
    return true;
}

static inline bool json_list(struct json *j, char close, bool named)
{
    if (json_take(j, close))
        return true;
    do
        if ((named && (!json_string(j) || !json_take(j, ':'))) || !json_value(j))
            return false;
    while (json_take(j, ','));
    return json_take(j, close);
}

static inline bool json_value(struct json *j)
{
    bool good;

    json_blanks(j);
    if (j->at >= j->end || ++j->depth > 32)
        return false;
    good = *j->at == '"'       ? json_string(j)
           : json_take(j, '{') ? json_list(j, '}', true)
           : json_take(j, '[') ? json_list(j, ']', false)
                               : json_number(j);
    j->depth--;
    return good;
}

static inline bool json_is_good(const char *text, size_t size)
{
    struct json j = {.at = (const unsigned char *)text, .end = (const unsigned char *)text + size};

    if (!json_value(&j))
        return false;
    json_blanks(&j);
    return j.at == j.end;
}

#endif
