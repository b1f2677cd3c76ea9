/* Text in a buffer of fixed size; see text.h. */
#include "watch/explain/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text text_in(char *bytes, size_t size)
{
    bytes[0] = '\0';
    return (struct text){.bytes = bytes, .size = size};
}

void text_add(struct text *text, const char *format, ...)
{
    size_t room = text->size - text->length;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text->bytes + text->length, room, format, args);
    va_end(args);
    if (n > 0)
        text->length += (size_t)n < room ? (size_t)n : room - 1;
}

void text_pad(struct text *text, size_t column)
{
    const char *line = strrchr(text->bytes, '\n');
    size_t used = text->length - (line != NULL ? (size_t)(line + 1 - text->bytes) : 0);

    text_add(text, "%*s", used < column ? (int)(column - used) : 1, "");
}
