/* Terminal to keyboard; see keys.h. Sequences: xterm's and the Linux console's. Scan code set 1:
 * IBM PS/2 technical reference, "Keyboard". */
#include "console/keys.h"

#include <stdbool.h>
#include <string.h>

enum { ESC = 0x1b, DELETE = 0x7f, PARAMETER_MAX = 1000, QUIET_MEANS_ESC = 2 };
enum { SHIFT = 1, ALT = 2, CONTROL = 4, MODIFIERS = 3 }; /* xterm's modifier parameter less one */
enum { CODE_ESC = 0x01, CODE_BACKSPACE = 0x0e, CODE_TAB = 0x0f, CODE_ENTER = 0x1c };
enum {
    RELEASED = 0x80,
    EXTENDED = 0xe0,
    GREY = 0x100
}; /* GREY: a key whose codes follow EXTENDED */
enum { HOME = GREY | 0x47, UP = GREY | 0x48, PAGE_UP = GREY | 0x49, LEFT = GREY | 0x4b };
enum { RIGHT = GREY | 0x4d, END = GREY | 0x4f, DOWN = GREY | 0x50, PAGE_DOWN = GREY | 0x51 };
enum { INSERT = GREY | 0x52, REMOVE = GREY | 0x53 };

static const uint8_t modifier_codes[MODIFIERS] = {0x2a, 0x38, 0x1d};

/* A row of the keyboard: its first scan code, and its characters without shift and with it. */
struct row {
    uint8_t first;
    const char *plain, *shifted;
};

static const struct row rows[] = {
    {0x02, "1234567890-=", "!@#$%^&*()_+"},
    {0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
    {0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {0x39, " ", ""},
};

static const uint16_t by_letter['Z' - 'A' + 1] = {
    ['A' - 'A'] = UP,   ['B' - 'A'] = DOWN, ['C' - 'A'] = RIGHT,   ['D' - 'A'] = LEFT,
    ['F' - 'A'] = END,  ['H' - 'A'] = HOME, ['P' - 'A'] = 0x3b,    ['Q' - 'A'] = 0x3c,
    ['R' - 'A'] = 0x3d, ['S' - 'A'] = 0x3e, ['Z' - 'A'] = CODE_TAB};

/* CSI number ~ */
static const uint16_t by_number[] = {
    [1] = HOME,      [2] = INSERT, [3] = REMOVE, [4] = END,   [5] = PAGE_UP,
    [6] = PAGE_DOWN, [7] = HOME,   [8] = END,    [11] = 0x3b, [12] = 0x3c,
    [13] = 0x3d,     [14] = 0x3e,  [15] = 0x3f,  [17] = 0x40, [18] = 0x41,
    [19] = 0x42,     [20] = 0x43,  [21] = 0x44,  [23] = 0x57, [24] = 0x58};

/* The key, pressed and released inside its modifiers. 0 is no key. */
static size_t stroke(unsigned key, unsigned modifiers, uint8_t *codes)
{
    size_t n = 0;

    if (key == 0)
        return 0;
    for (int i = 0; i < MODIFIERS; i++)
        if (modifiers & 1U << i)
            codes[n++] = modifier_codes[i];
    for (int up = 0; up <= RELEASED; up += RELEASED) {
        if (key & GREY)
            codes[n++] = EXTENDED;
        codes[n++] = (uint8_t)((key & 0x7f) | (unsigned)up);
    }
    for (int i = MODIFIERS - 1; i >= 0; i--)
        if (modifiers & 1U << i)
            codes[n++] = modifier_codes[i] | RELEASED;
    return n;
}

/* A printable character. */
static size_t print(char c, unsigned modifiers, uint8_t *codes)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *plain = strchr(rows[i].plain, c), *shifted = strchr(rows[i].shifted, c);

        if (plain != NULL)
            return stroke(rows[i].first + (unsigned)(plain - rows[i].plain), modifiers, codes);
        if (shifted != NULL)
            return stroke(rows[i].first + (unsigned)(shifted - rows[i].shifted), modifiers | SHIFT,
                          codes);
    }
    return 0;
}

static size_t character(uint8_t byte, unsigned modifiers, uint8_t *codes)
{
    static const char after_z[] = "[\\]6-"; /* with control: 1bh to 1fh */

    if (byte >= 0x80) /* part of a character that a US keyboard does not have */
        return 0;
    if (byte == '\r' || byte == '\n')
        return stroke(CODE_ENTER, modifiers, codes);
    if (byte == '\t')
        return stroke(CODE_TAB, modifiers, codes);
    if (byte == DELETE)
        return stroke(CODE_BACKSPACE, modifiers, codes);
    if (byte >= ' ')
        return print((char)byte, modifiers, codes);
    if (byte == 0)
        return print(' ', modifiers | CONTROL, codes);
    if (byte < ESC)
        return print((char)(byte - 1 + 'a'), modifiers | CONTROL, codes);
    return print(after_z[byte - ESC], modifiers | CONTROL, codes);
}

static void begin(struct keys *keys, enum keys_state state)
{
    *keys = (struct keys){.state = state};
}

static size_t after_escape(struct keys *keys, uint8_t byte, uint8_t *codes)
{
    if (byte == '[' || byte == 'O') {
        begin(keys, byte == '[' ? KEYS_CSI : KEYS_SS3);
        return 0;
    }
    if (byte == ESC) /* the first ESC was a key; this one may begin a sequence */
        return stroke(CODE_ESC, 0, codes);
    begin(keys, KEYS_PLAIN);
    return character(byte, ALT, codes);
}

/* The last byte of a CSI or SS3 sequence. */
static size_t finish(struct keys *keys, uint8_t byte, uint8_t *codes)
{
    unsigned number = keys->parameters[0], second = keys->parameters[1];
    unsigned modifiers = second > 0 ? (second - 1) & (SHIFT | ALT | CONTROL) : 0;

    begin(keys, KEYS_PLAIN);
    if (byte == '~')
        return number < sizeof by_number / sizeof by_number[0]
                   ? stroke(by_number[number], modifiers, codes)
                   : 0;
    if (byte < 'A' || byte > 'Z')
        return 0;
    return stroke(by_letter[byte - 'A'], byte == 'Z' ? modifiers | SHIFT : modifiers, codes);
}

static size_t in_sequence(struct keys *keys, uint8_t byte, uint8_t *codes)
{
    unsigned *parameter = &keys->parameters[keys->parameter];

    keys->quiet = 0;
    if (byte >= '0' && byte <= '9') {
        if (*parameter < PARAMETER_MAX)
            *parameter = *parameter * 10 + (byte - '0');
        return 0;
    }
    if (byte == ';') {
        keys->parameter += keys->parameter + 1 < KEYS_PARAMETERS;
        return 0;
    }
    if (byte == '[' && keys->state == KEYS_CSI) {
        begin(keys, KEYS_LINUX);
        return 0;
    }
    if (byte == ESC) {
        begin(keys, KEYS_ESCAPE);
        return 0;
    }
    return finish(keys, byte, codes);
}

size_t keys_byte(struct keys *keys, uint8_t byte, uint8_t codes[KEYS_CODES_MAX])
{
    switch (keys->state) {
    case KEYS_PLAIN:
        if (byte != ESC)
            return character(byte, 0, codes);
        begin(keys, KEYS_ESCAPE);
        return 0;
    case KEYS_ESCAPE:
        return after_escape(keys, byte, codes);
    case KEYS_LINUX: /* its F1 to F5 are A to E */
        begin(keys, KEYS_PLAIN);
        return byte >= 'A' && byte <= 'E' ? stroke(0x3bU + byte - 'A', 0, codes) : 0;
    default:
        return in_sequence(keys, byte, codes);
    }
}

size_t keys_idle(struct keys *keys, uint8_t codes[KEYS_CODES_MAX])
{
    bool escape = keys->state == KEYS_ESCAPE;

    if (keys->state == KEYS_PLAIN || ++keys->quiet < QUIET_MEANS_ESC)
        return 0;
    begin(keys, KEYS_PLAIN);
    return escape ? stroke(CODE_ESC, 0, codes) : 0;
}
