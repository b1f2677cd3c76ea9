/* The display's loop; see display.h. */
#include "console/display.h"

#include <stdio.h>
#include <string.h>

#include "console/console.h"
#include "console/input.h"
#include "console/keys.h"
#include "console/screen.h"
#include "host/files/files.h"
#include "host/terminal.h"

/* VGA text mode: 32 KB of video memory, in which the page may begin anywhere and wraps. */
#define VIDEO_MEMORY UINT64_C(0xb8000)
enum { VIDEO_CELLS = 16 * 1024 };

/* ENTER switches to the terminal's alternate screen, LEAVE back to the main one with its contents;
 * LEAVE also restores cursor and colours. */
#define ENTER "\033[?1049h"
#define LEAVE "\033[0m\033[?25h\033[?1049l"

static struct {
    bool on;
    struct display_guest guest;
    struct screen screen;
    struct keys keys;
    uint8_t held[KEYS_CODES_MAX]; /* codes for which the keyboard had no room yet */
    size_t held_count;
    bool entered, says;
} display;

int display_start(const struct display_guest *guest, struct error *error)
{
    if (!memory_holds(guest->memory, VIDEO_MEMORY, VIDEO_CELLS * sizeof(uint16_t)))
        return error_set(error, "%s: its memory does not reach the text page at 0xb8000 (-m)",
                         guest->name);
    if (!terminal_is(FILE_STDOUT))
        return error_set(error,
                         "--display text draws on a terminal, and standard output is not one");
    display.on = true;
    display.guest = *guest;
    input_want(guest->index); /* its keyboard always takes input */
    display_enter();
    return 0;
}

bool display_is_on(void)
{
    return display.on;
}

void display_enter(void)
{
    if (!display.on || display.entered)
        return;
    display.entered = true;
    display.screen.known = false;
    terminal_set_farewell(LEAVE);
    console_draw(ENTER, sizeof ENTER - 1);
}

void display_leave(void)
{
    if (!display.entered)
        return;
    display.entered = false;
    terminal_set_farewell("");
    console_draw(LEAVE, sizeof LEAVE - 1);
}

/* Codes for which the keyboard has no room wait, and all later input waits behind them. */
static void type(void)
{
    struct i8042 *keyboard = display.guest.keyboard;
    int byte = 0;

    if (!display.guest.runs(display.guest.index))
        return;
    while (display.held_count == 0 || i8042_press(keyboard, display.held, display.held_count)) {
        byte = input_take(display.guest.index);
        if (byte < 0)
            break;
        display.held_count = keys_byte(&display.keys, (uint8_t)byte, display.held);
        display.screen.known &= !display.says;
        display.says = false;
    }
    if (byte < 0)
        display.held_count = 0;
}

/* The guest may write meanwhile: a cell that is read half-written is drawn right the next time. */
bool display_look(const struct memory *memory, struct crtc *crtc, struct screen_view *view)
{
    struct crtc_text text = crtc_text(crtc);
    static uint16_t video[VIDEO_CELLS];

    if (!memory_read(memory, VIDEO_MEMORY, video, sizeof video))
        return false;
    for (unsigned i = 0; i < SCREEN_CELLS; i++)
        view->cells[i] = video[(text.start + i) % VIDEO_CELLS];
    view->cursor = text.cursor_shown && text.cursor >= text.start
                       ? (unsigned)(text.cursor - text.start)
                       : SCREEN_CELLS;
    if (view->cursor > SCREEN_CELLS)
        view->cursor = SCREEN_CELLS; /* one value for all invisible positions: no change to draw */
    return true;
}

/* False: a guest that is restarting, or whose restart failed, has no text page. */
static bool look(struct screen_view *view)
{
    if (display.guest.restarts(display.guest.index))
        return false;
    terminal_size(&view->rows, &view->columns);
    return display_look(display.guest.memory, display.guest.crtc, view);
}

static void draw(void)
{
    static struct screen_view view;
    static char text[SCREEN_TEXT_MAX];

    if (look(&view))
        console_draw(text, screen_draw(&display.screen, &view, text));
}

void display_input(void)
{
    if (display.entered)
        type();
}

/* A terminal that is slower than the guest gets fewer frames, not old ones. */
void display_tick(void)
{
    if (!display.entered)
        return;
    input_want(display.guest.index); /* also of a guest that has started again */
    if (display.held_count == 0)
        display.held_count = keys_idle(&display.keys, display.held);
    type();
    if (console_backlog() == 0)
        draw();
}

void display_end(void)
{
    static struct screen_view view;
    static char text[SCREEN_TEXT_MAX];

    display.on = false; /* a later SIGCONT must not take the terminal again */
    if (!display.entered)
        return;
    display_leave();
    if (look(&view))
        console_draw(text, screen_print(&view, text));
}

void display_say(const char *text)
{
    unsigned rows, columns;
    char line[256];
    int n;

    terminal_size(&rows, &columns);
    if (console_backlog() > 0)
        return; /* the terminal takes nothing now, and the user may press the key again */
    n = snprintf(line, sizeof line, "\033[%u;1H\033[0;7m%.*s\033[0m", rows, (int)columns, text);
    draw();
    console_draw(line, (size_t)n);
    display.says = true;
}
