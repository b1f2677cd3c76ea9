/*
 * Where a log's text goes: a buffer of fixed size before a function that writes. The first failure
 * stays; nothing is written after it.
 */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include <stddef.h>
#include <stdint.h>

struct log_sink {
    int (*write)(void *context, const void *bytes, size_t count); /* 0 or a negative errno */
    void *context;
    int failure;
    size_t used;
    char buffer[32 * 1024];
};

/* Text as it stands: a whole string, or `count` bytes. */
void log_sink_text(struct log_sink *sink, const char *text);
void log_sink_bytes(struct log_sink *sink, const void *bytes, size_t count);

/* printf, for numbers and our own words: at most 250 characters. */
void log_sink_format(struct log_sink *sink, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A JSON string (RFC 8259, 7) of bytes that anybody may have written: quoted, what is no UTF-8
 * replaced by U+FFFD, and < > & escaped too, so that it may stand inside a page's script element
 * and can neither end it nor open a comment (HTML, 4.12.1.3).
 */
void log_sink_string(struct log_sink *sink, const char *text);

/* The same, byte by byte: begin, any number of bytes, end. `utf8` is the caller's, zeroed. */
struct log_utf8 {
    uint8_t bytes[4];
    unsigned used, want;
};
void log_sink_quoted(struct log_sink *sink, struct log_utf8 *utf8, uint8_t byte);
void log_sink_quoted_end(struct log_sink *sink, struct log_utf8 *utf8);

/* Writes what is left; 0, or the negative errno of the first write that failed. */
int log_sink_finish(struct log_sink *sink);

#endif
