/* Unit tests of display/: drawing, and the codes for keys. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "console/console.h"
#include "console/cp437.h"
#include "console/display.h"
#include "console/input.h"
#include "console/keys.h"
#include "console/screen.h"
#include "dev/crtc.h"

enum { GREY = 0x0700 };

static struct screen screen;
static struct screen_view view;
static char text[SCREEN_TEXT_MAX + 1];

static int set_up(void **state)
{
    (void)state;
    screen = (struct screen){0};
    view = (struct screen_view){.rows = 25, .columns = 80};
    for (unsigned i = 0; i < SCREEN_CELLS; i++)
        view.cells[i] = GREY | ' ';
    return 0;
}

static const char *draw(void)
{
    size_t n = screen_draw(&screen, &view, text);

    assert_in_range(n, 0, SCREEN_TEXT_MAX);
    text[n] = '\0';
    return text;
}

static void test_only_what_changed(void **state)
{
    (void)state;
    assert_non_null(strstr(draw(), "\033[2J"));
    assert_string_equal(draw(), "");
    view.cells[80 + 4] = GREY | 'a';
    view.cells[80 + 5] = GREY | 'b';
    view.cells[80 + 7] = 0x1f00 | 0xc9;
    view.cursor = 80 + 6;
    assert_string_equal(draw(), "\033[?25l\033[2;5H\033[0;37;40mab\033[2;8H\033[0;97;44m╔"
                                "\033[2;7H\033[?25h");
    view.cursor = SCREEN_CELLS;
    assert_string_equal(draw(), "\033[?25l\033[?25l");
    view.cells[0] = 0x8400 | 1;
    assert_string_equal(draw(), "\033[?25l\033[1;1H\033[0;5;31;40m☺\033[?25l");
    screen.known = false;
    assert_non_null(strstr(draw(), "ab "));
}

static void test_page_as_text(void **state)
{
    size_t n = screen_print(&view, text);

    (void)state;
    assert_int_equal(n, 0);
    view.cells[80 + 2] = 0x1f00 | 0xc9;
    view.cells[160] = GREY | 'a';
    n = screen_print(&view, text);
    text[n] = '\0';
    assert_string_equal(text, "\n  ╔\na\n");
    for (unsigned i = 0; i < SCREEN_CELLS; i++)
        view.cells[i] = 0x0700 | 0xc9;
    assert_int_equal(screen_print(&view, text), SCREEN_CELLS * 3 + SCREEN_ROWS);
}

static void test_worst_case_fits(void **state)
{
    (void)state;
    (void)draw();
    for (unsigned i = 0; i < SCREEN_CELLS; i++)
        view.cells[i] = (uint16_t)((i % 2 != 0 ? 0xff00 : 0x8900) | 0xc9);
    assert_true(strlen(draw()) > SCREEN_CELLS * 3);
}

/* A terminal of 24 rows follows the cursor; a narrow one shows the left. */
static void test_small_terminal(void **state)
{
    (void)state;
    view.rows = 24;
    view.columns = 10;
    view.cells[0] = GREY | 'A';
    view.cells[24 * 80] = GREY | 'Z';
    view.cells[24 * 80 + 10] = GREY | 'N';
    assert_non_null(strchr(draw(), 'A'));
    assert_null(strchr(text, 'Z'));
    view.cursor = 24 * 80;
    assert_non_null(strstr(draw(), "\033[24;1HZ "));
    assert_null(strchr(text, 'A'));
    assert_null(strchr(text, 'N'));
    view.rows = view.columns = 0;
    (void)draw();
}

static void test_every_character(void **state)
{
    char bytes[CP437_BYTES_MAX + 1];

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        size_t n = cp437_utf8((uint8_t)c, bytes);

        assert_in_range(n, 1, CP437_BYTES_MAX);
        assert_true((uint8_t)bytes[0] >= ' '); /* no control characters for the terminal */
    }
    bytes[cp437_utf8(0xe1, bytes)] = '\0';
    assert_string_equal(bytes, "ß");
}

/* The codes for a string, in hexadecimal. */
static const char *typed(const char *bytes, size_t count, unsigned idle)
{
    static char hex[256];
    struct keys keys = {0};
    uint8_t codes[KEYS_CODES_MAX];
    size_t n, used = 0;

    hex[0] = '\0';
    for (size_t i = 0; i < count + idle; i++) {
        n = i < count ? keys_byte(&keys, (uint8_t)bytes[i], codes) : keys_idle(&keys, codes);
        assert_in_range(n, 0, KEYS_CODES_MAX);
        for (size_t k = 0; k < n; k++)
            used += (size_t)snprintf(hex + used, sizeof hex - used, "%02x", codes[k]);
    }
    return hex;
}

static void test_keys(void **state)
{
    static const struct {
        const char *bytes, *codes;
    } rows[] = {{"a", "1e9e"},
                {"A", "2a1e9eaa"},
                {"1!", "02822a0282aa"},
                {"~", "2a29a9aa"},
                {"/?", "35b52a35b5aa"},
                {"\\", "2bab"},
                {" ", "39b9"},
                {"\r\n", "1c9c1c9c"},
                {"\t\177", "0f8f0e8e"},
                {"\x03", "1d2eae9d"},
                {"\x1c", "1d2bab9d"},
                {"\033x", "382dadb8"},
                {"\033[A\033OB", "e048e0c8e050e0d0"},
                {"\033[1;5D", "1de04be0cb9d"},
                {"\033[1;8C", "2a381de04de0cd9db8aa"},
                {"\033[5~\033[24~", "e049e0c958d8"},
                {"\033OP\033[15~\033[[B", "3bbb3fbf3cbc"},
                {"\033[Z", "2a0f8faa"},
                {"\033[99999999999;9999999999~a", "1e9e"},
                {"\033[1;2;3;4A", "2ae048e0c8aa"},
                {"\033\033[A", "0181e048e0c8"},
                {"\303\244a", "1e9e"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(typed(rows[i].bytes, strlen(rows[i].bytes), 0), rows[i].codes);
    assert_string_equal(typed("\0", 1, 0), "1d39b99d");
    assert_string_equal(typed("\033", 1, 1), "");
    assert_string_equal(typed("\033", 1, 9), "0181");
    assert_string_equal(typed("\033[1", 3, 9), "");
}

static void set(struct crtc *crtc, uint8_t index, uint8_t value)
{
    struct bus_access where = {.data = &index, .size = 1, .write = true};
    struct bus_access what = {.offset = 1, .data = &value, .size = 1, .write = true};

    assert_int_equal(crtc_ops.access(crtc, &where), VERDICT_RESUME);
    assert_int_equal(crtc_ops.access(crtc, &what), VERDICT_RESUME);
}

static void test_crtc(void **state)
{
    struct crtc crtc;

    (void)state;
    crtc_init(&crtc);
    assert_true(crtc_text(&crtc).cursor_shown);
    set(&crtc, 0x0e, 0x07);
    set(&crtc, 0x0f, 0xcf);
    set(&crtc, 0x0d, 80);
    set(&crtc, 0xff, 1); /* an index beyond the registers */
    assert_int_equal(crtc_text(&crtc).cursor, 1999);
    assert_int_equal(crtc_text(&crtc).start, 80);
    set(&crtc, 0x0a, 0x20);
    assert_false(crtc_text(&crtc).cursor_shown);
}

static void wake(void)
{
}

static void on_command(enum input_command command)
{
    (void)command;
}

static bool no(unsigned guest)
{
    return guest == UINT32_MAX;
}

static bool yes(unsigned guest)
{
    return guest == 0;
}

static uint8_t drawn[64 * 1024];
static size_t drawn_count;

static int keep(int fd, const void *bytes, size_t count)
{
    (void)fd;
    assert_true(count <= sizeof drawn - drawn_count);
    memcpy(drawn + drawn_count, bytes, count);
    drawn_count += count;
    return (int)count;
}

/* Calls display_start while standard output is a terminal. */
static int start_on_terminal(const struct display_guest *guest)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), kept = dup(STDOUT_FILENO), slave, result;
    struct error error;

    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0 && kept >= 0);
    fflush(stdout);
    dup2(slave, STDOUT_FILENO);
    result = display_start(guest, &error);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(slave);
    close(master);
    return result;
}

/* Its memory is unmapped for a while: a read of it would end this program. */
static void test_a_guest_that_restarts(void **state)
{
    enum { SIZE = 1 << 20 };
    uint8_t *host = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct memory memory;
    struct crtc crtc;
    struct display_guest guest = {
        .memory = &memory, .name = "a", .crtc = &crtc, .runs = no, .restarts = yes};

    (void)state;
    assert_true(host != MAP_FAILED);
    console_init(&(struct console_config){
        .guests = 1, .cpus = 1, .terminal = true, .same = true, .write = keep, .wake = wake});
    input_init(&(struct input_config){.guests = 1, .wake = wake, .command = on_command});
    memory_init(&memory, 0, SIZE, host);
    crtc_init(&crtc);
    assert_int_equal(start_on_terminal(&guest), 0);
    (void)console_service();
    display_tick();
    display_say("words");
    display_end();
    (void)console_service();
    assert_non_null(memmem(drawn, drawn_count, "words", 5));
    assert_non_null(memmem(drawn, drawn_count, "\033[?1049l", 8));
    drawn_count = 0;
    display_enter(); /* Ctrl-Z and fg while the last output is waited for */
    (void)console_service();
    assert_int_equal(drawn_count, 0);
    assert_int_equal(munmap(host, SIZE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_only_what_changed, set_up),
                                       cmocka_unit_test_setup(test_page_as_text, set_up),
                                       cmocka_unit_test_setup(test_worst_case_fits, set_up),
                                       cmocka_unit_test_setup(test_small_terminal, set_up),
                                       cmocka_unit_test(test_every_character),
                                       cmocka_unit_test(test_keys),
                                       cmocka_unit_test(test_crtc),
                                       cmocka_unit_test(test_a_guest_that_restarts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
