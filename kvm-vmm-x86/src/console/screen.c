/* Drawing by difference; see screen.h. ECMA-48: CUP, ED and SGR. */
#include "console/screen.h"

#include <stdio.h>
#include <string.h>

#include "console/cp437.h"

enum { BLINK = 0x80, BRIGHT = 0x08, COLORS = 7, NOWHERE = SCREEN_CELLS, NO_ATTRIBUTE = -1 };
enum { PIECE_MAX = 64 };

/* The text being written, and the terminal's state after it. */
struct pen {
    char *text;
    size_t used;
    unsigned at;   /* the cell after the last one drawn, if in the same row */
    int attribute; /* as last set */
};

static void add(struct pen *pen, const char *piece)
{
    size_t length = strlen(piece);

    memcpy(pen->text + pen->used, piece, length);
    pen->used += length;
}

static void move_to(struct pen *pen, unsigned cell, unsigned top)
{
    char piece[PIECE_MAX];

    snprintf(piece, sizeof piece, "\033[%u;%uH", cell / SCREEN_COLUMNS - top + 1,
             cell % SCREEN_COLUMNS + 1);
    add(pen, piece);
}

/* The PC's colours count blue, green, red from bit 0 on, ECMA-48's the other way round. */
static void set_attribute(struct pen *pen, uint8_t attribute)
{
    static const uint8_t colors[COLORS + 1] = {0, 4, 2, 6, 1, 5, 3, 7};
    char piece[PIECE_MAX];

    if (pen->attribute == attribute)
        return;
    pen->attribute = attribute;
    snprintf(piece, sizeof piece, "\033[0;%s%u;%um", attribute & BLINK ? "5;" : "",
             (attribute & BRIGHT ? 90U : 30U) + colors[attribute & COLORS],
             40U + colors[attribute >> 4 & COLORS]);
    add(pen, piece);
}

static void draw_cell(struct pen *pen, unsigned cell, uint16_t what, unsigned top)
{
    if (pen->at != cell || cell % SCREEN_COLUMNS == 0)
        move_to(pen, cell, top);
    set_attribute(pen, (uint8_t)(what >> 8));
    pen->used += cp437_utf8((uint8_t)what, pen->text + pen->used);
    pen->at = cell + 1;
}

static unsigned top_of(const struct screen_view *view)
{
    unsigned row = view->cursor / SCREEN_COLUMNS;

    if (view->rows >= SCREEN_ROWS || view->cursor >= SCREEN_CELLS || row < view->rows)
        return 0;
    return row - view->rows + 1;
}

static bool is_visible(const struct screen_view *view, unsigned top, unsigned cell)
{
    unsigned row = cell / SCREEN_COLUMNS;

    return cell < SCREEN_CELLS && row >= top && row - top < view->rows &&
           cell % SCREEN_COLUMNS < view->columns;
}

static void draw_cells(struct screen *screen, const struct screen_view *view, struct pen *pen)
{
    for (unsigned cell = 0; cell < SCREEN_CELLS; cell++)
        if (is_visible(view, screen->top, cell) &&
            (!screen->known || view->cells[cell] != screen->view.cells[cell]))
            draw_cell(pen, cell, view->cells[cell], screen->top);
}

static void draw_cursor(struct screen *screen, const struct screen_view *view, struct pen *pen)
{
    if (!is_visible(view, screen->top, view->cursor)) {
        add(pen, "\033[?25l");
        return;
    }
    move_to(pen, view->cursor, screen->top);
    add(pen, "\033[?25h");
}

size_t screen_draw(struct screen *screen, const struct screen_view *view, char *text)
{
    struct pen pen = {.text = text, .at = NOWHERE, .attribute = NO_ATTRIBUTE};
    unsigned top = top_of(view);

    screen->known &= top == screen->top && view->rows == screen->view.rows &&
                     view->columns == screen->view.columns;
    screen->top = top;
    if (screen->known && memcmp(&screen->view, view, sizeof *view) == 0)
        return 0;
    add(&pen, screen->known ? "\033[?25l" : "\033[?25l\033[0m\033[2J");
    draw_cells(screen, view, &pen);
    draw_cursor(screen, view, &pen);
    screen->view = *view;
    screen->known = true;
    return pen.used;
}

/* One row without the blanks at its end. */
static void print_row(struct pen *pen, const uint16_t *cells)
{
    size_t end = pen->used;

    for (unsigned i = 0; i < SCREEN_COLUMNS; i++) {
        pen->used += cp437_utf8((uint8_t)cells[i], pen->text + pen->used);
        if (pen->text[pen->used - 1] != ' ')
            end = pen->used;
    }
    pen->used = end;
}

size_t screen_print(const struct screen_view *view, char *text)
{
    struct pen pen = {.text = text};
    size_t end = 0;

    for (unsigned row = 0; row < SCREEN_ROWS; row++) {
        size_t start = pen.used;

        print_row(&pen, view->cells + (size_t)row * SCREEN_COLUMNS);
        if (pen.used > start)
            end = pen.used + 1;
        add(&pen, "\n");
    }
    return end;
}
