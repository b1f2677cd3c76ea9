/*
 * A line that is edited at a terminal: keys go in, what they change on the screen comes out.
 * Arrows, Home, End, Backspace, Delete, Ctrl-A E K U W, and the lines before it by up and down.
 * Pure: the caller reads the keys and supplies the sink.
 */
#ifndef COMMON_EDIT_H
#define COMMON_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/fmt.h"

/* Keys beyond the 256 characters. */
enum edit_key {
    EDIT_KEY_UP = 0x100,
    EDIT_KEY_DOWN,
    EDIT_KEY_LEFT,
    EDIT_KEY_RIGHT,
    EDIT_KEY_HOME,
    EDIT_KEY_END,
    EDIT_KEY_PAGE_UP,
    EDIT_KEY_PAGE_DOWN,
    EDIT_KEY_INSERT,
    EDIT_KEY_DELETE,
    EDIT_KEY_F1, /* to F12 in a row */
    EDIT_KEY_F12 = EDIT_KEY_F1 + 11,
    EDIT_KEY_NONE = 0,
};

/* Turns a terminal's bytes into keys: *state is 0 at first; EDIT_KEY_NONE while a sequence is open
 * and for keys without a name here (ECMA-48, 5.4, and the keys that terminals number). */
int edit_decode(unsigned *state, unsigned char byte);

enum { EDIT_SIZE = 200, EDIT_HISTORY = 16 };

struct edit_history {
    char lines[EDIT_HISTORY][EDIT_SIZE];
    size_t count; /* of all lines ever added; line n is at n % EDIT_HISTORY */
};

/* `width`, `history` and `ascii` are the user's, the rest is the editor's. */
struct edit_line {
    size_t width;                 /* columns to draw in, plus one for the cursor; 0: no limit */
    struct edit_history *history; /* or NULL */
    bool ascii;                   /* other bytes are not inserted */
    char text[EDIT_SIZE];         /* terminated at any time */
    size_t length, cursor;
    size_t first, shown, column; /* on the screen: `shown` characters from `first` on; the cursor */
    size_t back;                 /* how many lines back in the history; 0: a new line */
};

enum edit_result {
    EDIT_MORE,      /* the line is not complete */
    EDIT_DONE,      /* Enter: the line is complete, and in the history */
    EDIT_CANCELLED, /* Ctrl-C: the line is empty */
    EDIT_ENDED,     /* Ctrl-D in an empty line */
};

/* Empties the line; the history stays. */
void edit_begin(struct edit_line *line);

/* Takes one key and draws what it changes. Any result but EDIT_MORE also ends the line on the
 * screen. */
enum edit_result edit_key(struct edit_line *line, int key, struct fmt_sink *out);

#endif
