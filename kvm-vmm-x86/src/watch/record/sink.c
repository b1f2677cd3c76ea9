/* Where a log's text goes; see sink.h. UTF-8: RFC 3629. */
#include "watch/record/sink.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void flush(struct log_sink *sink)
{
    if (sink->failure == 0 && sink->used > 0)
        sink->failure = sink->write(sink->context, sink->buffer, sink->used);
    sink->used = 0;
}

void log_sink_bytes(struct log_sink *sink, const void *bytes, size_t count)
{
    const char *from = bytes;

    while (count > 0) {
        size_t room = sizeof sink->buffer - sink->used;
        size_t part = count < room ? count : room;

        memcpy(sink->buffer + sink->used, from, part);
        sink->used += part;
        from += part;
        count -= part;
        if (sink->used == sizeof sink->buffer)
            flush(sink);
    }
}

void log_sink_text(struct log_sink *sink, const char *text)
{
    log_sink_bytes(sink, text, strlen(text));
}

void log_sink_format(struct log_sink *sink, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_sink_text(sink, text);
}

/* How many bytes a sequence has that begins so; 0: none begins so. */
static unsigned sequence_length(uint8_t first)
{
    return first < 0x80                    ? 1
           : first >= 0xc2 && first < 0xe0 ? 2
           : first >= 0xe0 && first < 0xf0 ? 3
           : first >= 0xf0 && first < 0xf5 ? 4
                                           : 0;
}

/* Whether `byte` may follow: no overlong form, no surrogate, nothing beyond U+10FFFF. */
static bool may_follow(const struct log_utf8 *u, uint8_t byte)
{
    if ((byte & 0xc0) != 0x80)
        return false;
    if (u->used != 1)
        return true;
    switch (u->bytes[0]) {
    case 0xe0:
        return byte >= 0xa0;
    case 0xed:
        return byte < 0xa0;
    case 0xf0:
        return byte >= 0x90;
    case 0xf4:
        return byte < 0x90;
    default:
        return true;
    }
}

static void put_ascii(struct log_sink *sink, char c)
{
    if (c == '"' || c == '\\')
        log_sink_bytes(sink, (char[]){'\\', c}, 2);
    else if (c == '\n')
        log_sink_text(sink, "\\n");
    else if (c < ' ' || c == 0x7f || c == '<' || c == '>' || c == '&')
        log_sink_format(sink, "\\u%04x", (unsigned)c);
    else
        log_sink_bytes(sink, &c, 1);
}

static void give_up(struct log_sink *sink, struct log_utf8 *utf8)
{
    if (utf8->used > 0)
        log_sink_text(sink, "\\ufffd");
    utf8->used = 0;
}

void log_sink_quoted(struct log_sink *sink, struct log_utf8 *utf8, uint8_t byte)
{
    if (utf8->used > 0 && !may_follow(utf8, byte))
        give_up(sink, utf8);
    if (utf8->used == 0) {
        utf8->want = sequence_length(byte);
        if (utf8->want == 0)
            log_sink_text(sink, "\\ufffd");
        else if (utf8->want == 1)
            put_ascii(sink, (char)byte);
        if (utf8->want < 2)
            return;
    }
    utf8->bytes[utf8->used++] = byte;
    if (utf8->used == utf8->want) {
        log_sink_bytes(sink, utf8->bytes, utf8->used);
        utf8->used = 0;
    }
}

void log_sink_quoted_end(struct log_sink *sink, struct log_utf8 *utf8)
{
    give_up(sink, utf8);
}

void log_sink_string(struct log_sink *sink, const char *text)
{
    struct log_utf8 utf8 = {0};

    log_sink_text(sink, "\"");
    for (; *text != '\0'; text++)
        log_sink_quoted(sink, &utf8, (uint8_t)*text);
    log_sink_quoted_end(sink, &utf8);
    log_sink_text(sink, "\"");
}

int log_sink_finish(struct log_sink *sink)
{
    flush(sink);
    return sink->failure;
}
