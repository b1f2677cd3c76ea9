/*
 * A PC's text page on a terminal: the difference between what the terminal shows and what it should
 * show, as ECMA-48 control sequences and UTF-8. Pure: no memory, no terminal, no clock.
 */
#ifndef DISPLAY_SCREEN_H
#define DISPLAY_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCREEN_COLUMNS = 80, SCREEN_ROWS = 25, SCREEN_CELLS = SCREEN_COLUMNS * SCREEN_ROWS };

/* Room for any one drawing: each cell with its own position, colour and character. */
enum { SCREEN_TEXT_MAX = SCREEN_CELLS * 32 + 64 };

/* What the terminal should show. */
struct screen_view {
    uint16_t cells[SCREEN_CELLS]; /* character, and attribute in the high byte */
    unsigned cursor;              /* a cell; SCREEN_CELLS or more: none is shown */
    unsigned rows, columns;       /* of the terminal */
};

/* What the terminal shows. Zero: unknown, so that all is drawn. */
struct screen {
    bool known;
    struct screen_view view;
    unsigned top; /* the page's row in the terminal's first */
};

/* Writes to `text` (SCREEN_TEXT_MAX bytes) what brings the terminal from what it shows to `view`;
 * how many bytes, 0 if nothing has changed. Of a page larger than the terminal it shows the part
 * with the cursor. */
size_t screen_draw(struct screen *screen, const struct screen_view *view, char *text);

/* The page as lines of plain text, up to its last line that is not blank; how many bytes. */
size_t screen_print(const struct screen_view *view, char *text);

#endif
