/* The display's loop; see display.h. */
#include "console/display.h"

#include <stdio.h>
#include <string.h>

#include "console/input.h"
#include "console/keys.h"
#include "console/screen.h"
#include "host/events.h"
#include "host/files.h"
#include "host/terminal.h"

/* VGA text mode: 32 KB of video memory, in which the page may begin anywhere and wraps. */
#define VIDEO_MEMORY UINT64_C(0xb8000)
enum { VIDEO_CELLS = 16 * 1024 };

/* The other screen, so that what stood on the terminal comes back; the cursor and colours as they
 * were. */
#define ENTER "\033[?1049h"
#define LEAVE "\033[0m\033[?25h\033[?1049l"

static struct {
    struct vm *vm; /* NULL: no display */
    const uint8_t *video;
    struct screen screen;
    struct keys keys;
    uint8_t held[KEYS_CODES_MAX]; /* codes for which the keyboard has had no room */
    size_t held_count;
    uint64_t drawn; /* when */
    bool entered, says;
    int failure;
} display;

static void send(const char *text, size_t count)
{
    if (count > 0 && display.failure == 0)
        display.failure = file_write(FILE_STDOUT, text, count);
}

int display_start(struct vm *vm, struct error *error)
{
    display.video = memory_at(&vm->memory, VIDEO_MEMORY, VIDEO_CELLS * sizeof(uint16_t));
    if (display.video == NULL)
        return error_set(error, "%s: its memory does not reach the text page at 0xb8000 (-m)",
                         vm->name);
    if (!terminal_is(FILE_STDOUT))
        return error_set(error, "--display text draws on a terminal, and standard output is none");
    display.vm = vm;
    input_want(vm->index); /* its keyboard is always listened to */
    display_enter();
    return 0;
}

bool display_is_on(void)
{
    return display.vm != NULL;
}

void display_enter(void)
{
    if (display.vm == NULL || display.entered)
        return;
    display.entered = true;
    display.screen.known = false;
    terminal_set_farewell(LEAVE);
    send(ENTER, sizeof ENTER - 1);
}

void display_leave(void)
{
    if (!display.entered)
        return;
    display.entered = false;
    terminal_set_farewell("");
    send(LEAVE, sizeof LEAVE - 1);
}

/* What the keyboard has no room for waits, and with it all that was typed later. */
static void type(void)
{
    struct i8042 *keyboard = &display.vm->machine.i8042;
    int byte = 0;

    while (display.held_count == 0 || i8042_press(keyboard, display.held, display.held_count)) {
        byte = input_take(display.vm->index);
        if (byte < 0)
            break;
        display.held_count = keys_byte(&display.keys, (uint8_t)byte, display.held);
        display.screen.known &= !display.says;
        display.says = false;
    }
    if (byte < 0)
        display.held_count = 0;
}

/* The guest writes while we look: a cell seen half-way is drawn right the next time. */
static void look(struct screen_view *view)
{
    struct crtc_text text = crtc_text(&display.vm->machine.crtc);

    for (unsigned i = 0; i < SCREEN_CELLS; i++)
        memcpy(&view->cells[i], display.video + (text.start + i) % VIDEO_CELLS * sizeof(uint16_t),
               sizeof(uint16_t));
    view->cursor = text.cursor_shown && text.cursor >= text.start
                       ? (unsigned)(text.cursor - text.start)
                       : SCREEN_CELLS;
    if (view->cursor > SCREEN_CELLS)
        view->cursor = SCREEN_CELLS; /* out of sight is out of sight: no change to draw */
    terminal_size(&view->rows, &view->columns);
}

static void draw(void)
{
    static struct screen_view view;
    static char text[SCREEN_TEXT_MAX];

    look(&view);
    send(text, screen_draw(&display.screen, &view, text));
}

void display_tick(void)
{
    uint64_t now = events_now();

    if (!display.entered)
        return;
    type();
    if (now - display.drawn < DISPLAY_TICK_MS * UINT64_C(1000000))
        return;
    display.drawn = now;
    if (display.held_count == 0)
        display.held_count = keys_idle(&display.keys, display.held);
    draw();
}

void display_end(void)
{
    static struct screen_view view;
    static char text[SCREEN_TEXT_MAX];

    if (!display.entered)
        return;
    display_leave();
    look(&view);
    send(text, screen_print(&view, text));
}

void display_say(const char *text)
{
    unsigned rows, columns;
    char line[256];
    int n;

    terminal_size(&rows, &columns);
    n = snprintf(line, sizeof line, "\033[%u;1H\033[0;7m%.*s\033[0m", rows, (int)columns, text);
    draw();
    send(line, (size_t)n);
    display.says = true;
}

int display_failure(void)
{
    return display.failure;
}
