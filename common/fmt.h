/*
 * Formatted text for programs without a libc: the conversions of C17 7.21.6.1 that systems code
 * uses.
 *
 *   flags - 0 + space #    width and precision, as numbers or *    lengths hh h l ll z t j
 *   conversions d i u x X o b c s p %
 *
 * `b` is binary. Floating point, %n and wide characters are not here; an unknown conversion is
 * printed as it stands.
 */
#ifndef COMMON_FMT_H
#define COMMON_FMT_H

#include <stdarg.h>
#include <stddef.h>

/* Where formatted text goes, piece by piece. Embed it in a structure of your own to carry state. */
struct fmt_sink {
    void (*write)(struct fmt_sink *sink, const char *text, size_t length);
};

#define FMT_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Formats into `sink`; returns the number of characters written. */
int fmt_vprint(struct fmt_sink *sink, const char *format, va_list args);
int fmt_print(struct fmt_sink *sink, const char *format, ...) FMT_PRINTF(2, 3);

/* Formats into `buffer`, always terminated where size > 0; returns the length the whole text would
 * have, like snprintf. */
int fmt_vsnprint(char *buffer, size_t size, const char *format, va_list args);
int fmt_snprint(char *buffer, size_t size, const char *format, ...) FMT_PRINTF(3, 4);

#endif
