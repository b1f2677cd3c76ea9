/* The characters of a PC's text page, IBM code page 437, in UTF-8. */
#ifndef DISPLAY_CP437_H
#define DISPLAY_CP437_H

#include <stddef.h>
#include <stdint.h>

enum { CP437_BYTES_MAX = 3 };

/* Writes the character's UTF-8 bytes, without a zero; their count, 1 to CP437_BYTES_MAX. */
size_t cp437_utf8(uint8_t character, char *to);

#endif
