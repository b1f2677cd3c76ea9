/* Tests of screen and PCI; tests/hleos tests keyboard and serial input from outside. */
#include <stddef.h>
#include <stdint.h>

#include "common/fmt.h"
#include "common/string.h"
#include "common/symbols.h"
#include "device/pci.h"
#include "selftest/selftest.h"
#include "vga.h"

static char cell(unsigned row, unsigned column)
{
    return (char)vga_cell(row, column);
}

/* Writes more lines than the screen has to the VGA driver, and checks where they are. */
static void screen_scrolls_and_remembers(void)
{
    char text[16];

    for (int i = 0; i < 60; i++) {
        fmt_snprint(text, sizeof text, "\nline %02d", i);
        vga_write(text, strlen(text));
    }
    expect(cell(24, 5) == '5' && cell(24, 6) == '9');
    expect(cell(0, 5) == '3' && cell(0, 6) == '5');
    vga_scroll_view(1); /* half a screen up */
    expect(cell(0, 5) == '2' && cell(0, 6) == '3');
    vga_scroll_view(-1);
    expect(cell(24, 5) == '5' && cell(24, 6) == '9');
    vga_scroll_view(2);
    vga_write("\n", 1); /* writing returns the view to the end */
    expect(cell(23, 5) == '5' && cell(23, 6) == '9');
}

static void colours_and_wrapping(void)
{
    char wide[VGA_COLUMNS + 1];

    vga_write("\033[1;31mR\033[44mB\033[0mN\n", 20);
    expect_equal(vga_cell(23, 0), 0x0c00 | 'R');
    expect_equal(vga_cell(23, 1), 0x1c00 | 'B');
    expect_equal(vga_cell(23, 2), 0x0700 | 'N');
    memset(wide, 'w', sizeof wide);
    vga_write(wide, sizeof wide);
    expect(cell(23, 79) == 'w' && cell(24, 0) == 'w' && cell(24, 1) == ' ');
    vga_write("\b\bx\n", 4);
    expect(cell(23, 0) == 'x');
}

static void see(void *context, const struct pci_function *f)
{
    if (f->class_ == 6 && f->subclass == 0)
        ++*(unsigned *)context;
}

static void pci_bus_begins_with_a_host_bridge(void)
{
    unsigned bridges = 0, functions = pci_scan(see, &bridges);

    expect(functions == 0 || bridges >= 1); /* the VMM may have no PCI */
}

static void symbols_name_this_function(void)
{
    struct symbol s = symbols_find((uintptr_t)vga_write + 1);

    expect(strcmp(s.name, "vga_write") == 0 && s.offset == 1);
    expect(strcmp(symbols_find(0).name, "?") == 0);
}

const struct selftest selftest_devices[] = {
    {"screen_scrolls_and_remembers", screen_scrolls_and_remembers},
    {"colours_and_wrapping", colours_and_wrapping},
    {"pci_bus_begins_with_a_host_bridge", pci_bus_begins_with_a_host_bridge},
    {"symbols_name_this_function", symbols_name_this_function},
    {0},
};
