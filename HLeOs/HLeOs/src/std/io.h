/*
 * Text in lines, over any source of characters and any sink: the line editor that the shell reads
 * with. Pure; hleos/iostream.h supplies the console.
 */
#ifndef STD_IO_H
#define STD_IO_H

#include <stdbool.h>
#include <stddef.h>

#include "common/fmt.h"

/* Keys beyond the 256 characters. */
enum io_key {
    IO_KEY_UP = 0x100,
    IO_KEY_DOWN,
    IO_KEY_LEFT,
    IO_KEY_RIGHT,
    IO_KEY_HOME,
    IO_KEY_END,
    IO_KEY_PAGE_UP,
    IO_KEY_PAGE_DOWN,
    IO_KEY_INSERT,
    IO_KEY_DELETE,
    IO_KEY_F1, /* to F12 in a row */
    IO_KEY_F12 = IO_KEY_F1 + 11,
    IO_KEY_NONE = 0,
};

enum { IO_LINE_MAX = 120, IO_HISTORY = 16 };

/* A line being edited, and the lines before it. */
struct io_line {
    size_t width; /* columns to draw in, and one more for the cursor; 0: as many as it takes */
    char text[IO_LINE_MAX + 1];
    size_t length, cursor;
    size_t first, shown, column; /* on the screen: `shown` characters from `first` on; the cursor */
    char history[IO_HISTORY][IO_LINE_MAX + 1];
    size_t remembered; /* lines ever remembered: the newest is at (remembered - 1) % IO_HISTORY */
    size_t back;       /* how far back in the history the line on the screen is; 0: it is new */
};

/* Empties the line; the history stays. */
void io_line_begin(struct io_line *line);

/* Takes one key and draws what it changes; true when the line is complete: line->text. */
bool io_line_key(struct io_line *line, int key, struct fmt_sink *out);

/* Turns a terminal's bytes into keys: state 0 at first; IO_KEY_NONE while a sequence is open.
 * ECMA-48 cursor keys and the common "ESC [ n ~". */
int io_decode_terminal(unsigned *state, unsigned char byte);

/* Splits a line at blanks, in place; returns how many words, at most `max`. */
int io_split(char *line, char **words, int max);

#endif
