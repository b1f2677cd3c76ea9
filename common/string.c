/*
 * <string.h> for programs without a libc: plain loops, word by word where both sides are aligned.
 * Compile with -fno-tree-loop-distribute-patterns, or gcc compiles the loop in memset to a call of
 * memset.
 */
#include "common/string.h"

#include <stdint.h>

typedef uintptr_t __attribute__((may_alias)) word;
typedef uint32_t __attribute__((may_alias)) half;

static int aligned(const void *a, const void *b, size_t to)
{
    return (((uintptr_t)a | (uintptr_t)b) & (to - 1)) == 0;
}

/* Copies as many whole units as n bytes contain, eight in each turn of the loop (a 30 MB kernel is
 * copied this way). Returns the number of bytes copied. */
#define COPY_BY(unit)                                                                              \
    static size_t copy_by_##unit(unit *restrict t, const unit *restrict f, size_t n)               \
    {                                                                                              \
        size_t left = n / sizeof *t;                                                               \
                                                                                                   \
        for (; left >= 8; left -= 8, t += 8, f += 8) {                                             \
            unit a = f[0], b = f[1], c = f[2], d = f[3];                                           \
                                                                                                   \
            t[0] = a, t[1] = b, t[2] = c, t[3] = d;                                                \
            a = f[4], b = f[5], c = f[6], d = f[7];                                                \
            t[4] = a, t[5] = b, t[6] = c, t[7] = d;                                                \
        }                                                                                          \
        for (; left > 0; left--)                                                                   \
            *t++ = *f++;                                                                           \
        return n / sizeof *t * sizeof *t;                                                          \
    }
COPY_BY(word);
COPY_BY(half);

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    size_t done = 0;

    if (aligned(t, f, sizeof(word)))
        done = copy_by_word(to, from, n);
    else if (aligned(t, f, sizeof(half))) /* files in a cpio archive have this alignment */
        done = copy_by_half(to, from, n);
    for (; done < n; done++)
        t[done] = f[done];
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (t < f || t >= f + n) {
        while (n-- > 0)
            *t++ = *f++;
    } else {
        while (n-- > 0)
            t[n] = f[n];
    }
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    unsigned char *t = to;

    if (aligned(t, t, sizeof(word))) {
        word pattern = (word)-1 / 0xff * (unsigned char)byte;

        for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word))
            *(word *)t = pattern;
    }
    while (n-- > 0)
        *t++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (; n > 0; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *bytes, int byte, size_t n)
{
    const unsigned char *p = bytes;

    for (; n > 0; n--, p++)
        if (*p == (unsigned char)byte)
            return (void *)(uintptr_t)p;
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0')
        n++;
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++)
        if (*a != *b || *a == '\0')
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return NULL;
    }
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;

    for (;; s++) {
        if (*s == (char)c)
            last = s;
        if (*s == '\0')
            return (char *)(uintptr_t)last;
    }
}

size_t string_copy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);
    size_t n = length < size ? length : size - 1;

    if (size > 0) {
        memcpy(to, from, n);
        to[n] = '\0';
    }
    return length;
}
