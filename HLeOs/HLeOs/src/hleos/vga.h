/*
 * The VGA's text page, 80 by 25: scrolling with a history, the hardware cursor, colours by the
 * usual "ESC [ n m" (ECMA-48 SGR 0, 1, 30 to 37, 40 to 47).
 */
#ifndef HLEOS_VGA_H
#define HLEOS_VGA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VGA_COLUMNS = 80, VGA_ROWS = 25, VGA_HISTORY = 200 };

/* Use the page at 0xb8000: vga_init_early() through the loader's identity map, vga_init() through a
 * new mapping. */
void vga_init_early(void);
void vga_init(void);

void vga_write(const char *text, size_t length);
/* Scrolls the view by `steps` half screens, up into the history or down; the next output returns to
 * the end. */
void vga_scroll_view(int steps);
void vga_show_cursor(bool on);
/* A cell of the visible screen: character in the low byte, attribute in the high byte. */
uint16_t vga_cell(unsigned row, unsigned column);

#endif
