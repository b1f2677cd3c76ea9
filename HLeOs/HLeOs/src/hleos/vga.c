/* IBM VGA technical reference: CRT controller registers 0Ah to 0Fh; text page at B8000h. See vga.h.
 */
#include "vga.h"

#include "common/string.h"
#include "common/x86.h"
#include "cpu/lock.h"
#include "memory/paging.h"

enum { TEXT_PAGE = 0xb8000, TEXT_BYTES = VGA_COLUMNS * VGA_ROWS * 2 };
enum { CRTC_INDEX = 0x3d4, CRTC_DATA = 0x3d5 };
enum { CURSOR_START = 0x0a, CURSOR_END = 0x0b, CURSOR_HIGH = 0x0e, CURSOR_LOW = 0x0f };
enum { CURSOR_OFF = 0x20, CURSOR_TOP_LINE = 13, CURSOR_BOTTOM_LINE = 15 };
enum { GREY_ON_BLACK = 0x07, BRIGHT = 0x08, TAB = 8 };
enum { LINES = VGA_ROWS + VGA_HISTORY };

/* The text: a ring of lines, of which the last VGA_ROWS are the screen. */
static struct vga {
    uint16_t lines[LINES][VGA_COLUMNS];
    unsigned top;     /* the screen's first line in the ring */
    unsigned history; /* written lines above the screen */
    unsigned view;    /* lines between the view's first line and the screen's */
    unsigned row, column;
    uint8_t attribute;
    unsigned escape;   /* 0: plain text, 1: after ESC, 2: after ESC [ */
    unsigned argument; /* the number being read */
} vga;

static struct lock lock = LOCK_INIT("vga", LOCK_VGA);
static volatile uint16_t *page;

static void crtc(uint8_t index, uint8_t value)
{
    x86_out8(CRTC_INDEX, index);
    x86_out8(CRTC_DATA, value);
}

static uint16_t blank(void)
{
    return (uint16_t)(vga.attribute << 8 | ' ');
}

static uint16_t *line(unsigned screen_row)
{
    return vga.lines[(vga.top + screen_row) % LINES];
}

static void draw_row(unsigned row)
{
    const uint16_t *from = line(row + LINES - vga.view);

    for (unsigned c = 0; c < VGA_COLUMNS; c++)
        page[row * VGA_COLUMNS + c] = from[c];
}

static void draw_all(void)
{
    for (unsigned r = 0; r < VGA_ROWS; r++)
        draw_row(r);
}

static void place_cursor(void)
{
    unsigned row = vga.row + vga.view, at = row * VGA_COLUMNS + vga.column;

    if (row >= VGA_ROWS) /* below the view */
        at = VGA_ROWS * VGA_COLUMNS;
    crtc(CURSOR_HIGH, (uint8_t)(at >> 8));
    crtc(CURSOR_LOW, (uint8_t)at);
}

static void clear_row(unsigned row)
{
    for (unsigned c = 0; c < VGA_COLUMNS; c++)
        line(row)[c] = blank();
}

static void new_line(void)
{
    if (vga.row + 1 < VGA_ROWS) {
        vga.row++;
        return;
    }
    vga.top = (vga.top + 1) % LINES;
    if (vga.history < VGA_HISTORY)
        vga.history++;
    clear_row(VGA_ROWS - 1);
    draw_all();
}

static void put_cell(char c)
{
    if (vga.column == VGA_COLUMNS) {
        vga.column = 0;
        new_line();
    }
    line(vga.row)[vga.column] = (uint16_t)(vga.attribute << 8 | (uint8_t)c);
    page[vga.row * VGA_COLUMNS + vga.column] = line(vga.row)[vga.column];
    vga.column++;
}

/* In the colour numbers of ECMA-48 red is bit 0 and blue bit 2; the VGA has them in reverse. */
static void set_colour(unsigned sgr)
{
    static const uint8_t colours[8] = {0, 4, 2, 6, 1, 5, 3, 7};

    if (sgr == 0)
        vga.attribute = GREY_ON_BLACK;
    else if (sgr == 1)
        vga.attribute |= BRIGHT;
    else if (sgr >= 30 && sgr <= 37)
        vga.attribute = (uint8_t)((vga.attribute & ~7) | colours[sgr - 30]);
    else if (sgr >= 40 && sgr <= 47)
        vga.attribute = (uint8_t)((vga.attribute & ~0x70) | colours[sgr - 40] << 4);
}

static void escape(char c)
{
    if (vga.escape == 1) {
        vga.escape = c == '[' ? 2 : 0;
        vga.argument = 0;
        return;
    }
    if (c >= '0' && c <= '9' && vga.argument < 1000) {
        vga.argument = vga.argument * 10 + (unsigned)(c - '0');
        return;
    }
    if (c == 'm' || c == ';')
        set_colour(vga.argument);
    vga.argument = 0;
    if (c != ';')
        vga.escape = 0;
}

static void put(char c)
{
    if (vga.escape != 0) {
        escape(c);
        return;
    }
    switch (c) {
    case '\033':
        vga.escape = 1;
        break;
    case '\n':
        vga.column = 0;
        new_line();
        break;
    case '\r':
        vga.column = 0;
        break;
    case '\b':
        if (vga.column > 0)
            vga.column--;
        break;
    case '\t':
        do
            put_cell(' ');
        while (vga.column % TAB != 0);
        break;
    default:
        put_cell(c);
        break;
    }
}

void vga_init_early(void)
{
    page = (volatile uint16_t *)TEXT_PAGE;
    vga.attribute = GREY_ON_BLACK;
    for (unsigned r = 0; r < LINES; r++)
        for (unsigned c = 0; c < VGA_COLUMNS; c++)
            vga.lines[r][c] = blank();
    draw_all();
    vga_show_cursor(true);
    place_cursor();
}

void vga_init(void)
{
    volatile uint16_t *mapped =
        paging_map_device(PHYS(TEXT_PAGE), TEXT_BYTES, PAGING_WRITE | PAGING_UNCACHED);

    page = mapped;
}

void vga_write(const char *text, size_t length)
{
    struct lock_hold hold;

    if (page == NULL)
        return;
    hold = lock_take_to_print(&lock);
    if (vga.view != 0) {
        vga.view = 0;
        draw_all();
    }
    while (length-- > 0)
        put(*text++);
    place_cursor();
    lock_give_printed(&lock, &hold);
}

void vga_scroll_view(int steps)
{
    struct lock_hold hold = lock_take_to_print(&lock);
    int view = (int)vga.view + steps * (VGA_ROWS / 2);

    if (view < 0)
        view = 0;
    if (view > (int)vga.history)
        view = (int)vga.history;
    vga.view = (unsigned)view;
    draw_all();
    place_cursor();
    lock_give_printed(&lock, &hold);
}

void vga_show_cursor(bool on)
{
    struct lock_hold hold = lock_take_to_print(&lock);

    crtc(CURSOR_START, on ? CURSOR_TOP_LINE : CURSOR_OFF);
    crtc(CURSOR_END, CURSOR_BOTTOM_LINE);
    lock_give_printed(&lock, &hold);
}

uint16_t vga_cell(unsigned row, unsigned column)
{
    return page[(row % VGA_ROWS) * VGA_COLUMNS + column % VGA_COLUMNS];
}
