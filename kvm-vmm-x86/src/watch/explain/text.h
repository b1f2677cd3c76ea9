/* Text that grows in a buffer of fixed size. What does not fit is cut off, so that the size of a
 * report is bounded. */
#ifndef EXPLAIN_TEXT_H
#define EXPLAIN_TEXT_H

#include <stddef.h>

struct text {
    char *bytes; /* always terminated */
    size_t size, length;
};

/* An empty text in `size` bytes at `bytes`; size > 0. */
struct text text_in(char *bytes, size_t size);

/* A phrase, for the arguments of one call. */
struct words {
    char text[200];
};

/* Appends. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends blanks until the last line is `column` wide, at least one. */
void text_pad(struct text *text, size_t column);

#endif
