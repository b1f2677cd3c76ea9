/* IBM PS/2 technical reference, keyboard, scan code set 1; see scancode.h. */
#include "device/scancode.h"

#include "common/edit.h"

enum { RELEASED = 0x80, EXTENDED = 0xe0, PAUSE = 0xe1, PAUSE_REST = 5 };
enum {
    LEFT_CONTROL = 0x1d,
    LEFT_SHIFT = 0x2a,
    RIGHT_SHIFT = 0x36,
    ALT = 0x38,
    CAPS = 0x3a,
    NUM = 0x45,
    F1 = 0x3b,
    F10 = 0x44,
    F11 = 0x57,
    F12 = 0x58,
    KEYPAD_SLASH = 0x35,
    KEYPAD_ENTER = 0x1c,
    KEYPAD_FIRST = 0x47,
    KEYPAD_LAST = 0x53
};

/* Characters by scan code, up to the space bar. */
static const char plain[] =
    "\0\0331234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

enum { CHARACTERS = sizeof plain - 1 };
_Static_assert(CHARACTERS == 0x3a && sizeof shifted == sizeof plain, "a character for each code");

/* Codes 47h to 53h: digits with Num Lock, cursor keys without it or after E0. */
static const char keypad_digits[] = "789-456+1230.";
static const int keypad_keys[] = {
    EDIT_KEY_HOME,  EDIT_KEY_UP,   EDIT_KEY_PAGE_UP,   '-',
    EDIT_KEY_LEFT,  EDIT_KEY_NONE, EDIT_KEY_RIGHT,     '+',
    EDIT_KEY_END,   EDIT_KEY_DOWN, EDIT_KEY_PAGE_DOWN, EDIT_KEY_INSERT,
    EDIT_KEY_DELETE};

/* Handles modifier and lock keys. True if the code was one of them. */
static bool modifier(struct scancode_state *s, uint8_t key, bool down, bool extended)
{
    switch (key) {
    case LEFT_SHIFT:
        if (!extended) /* E0 2A comes with Print Screen and the grey keys */
            s->left_shift = down;
        return true;
    case RIGHT_SHIFT:
        if (!extended)
            s->right_shift = down;
        return true;
    case LEFT_CONTROL:
        *(extended ? &s->right_control : &s->left_control) = down;
        return true;
    case ALT:
        *(extended ? &s->right_alt : &s->left_alt) = down;
        return true;
    case CAPS:
        s->caps_lock ^= down;
        return true;
    case NUM:
        s->num_lock ^= down;
        return true;
    default:
        return false;
    }
}

static int character(const struct scancode_state *s, uint8_t key)
{
    bool shift = s->left_shift || s->right_shift;
    char c = plain[key];
    bool letter = c >= 'a' && c <= 'z';

    if (letter && s->caps_lock)
        shift = !shift;
    if (shift)
        c = shifted[key];
    if ((s->left_control || s->right_control) && ((c >= '@' && c <= '_') || letter))
        c &= 0x1f;
    if (s->left_alt || s->right_alt)
        return c != 0 ? (uint8_t)c | 0x80 : EDIT_KEY_NONE;
    return (uint8_t)c;
}

static int pressed(const struct scancode_state *s, uint8_t key, bool extended)
{
    if (key >= KEYPAD_FIRST && key <= KEYPAD_LAST) {
        unsigned i = key - KEYPAD_FIRST;

        return s->num_lock && !extended ? keypad_digits[i] : keypad_keys[i];
    }
    if (extended)
        return key == KEYPAD_ENTER ? '\r' : key == KEYPAD_SLASH ? '/' : EDIT_KEY_NONE;
    if (key >= F1 && key <= F10)
        return EDIT_KEY_F1 + (key - F1);
    if (key == F11 || key == F12)
        return EDIT_KEY_F1 + 10 + (key - F11);
    return key < CHARACTERS ? character(s, key) : EDIT_KEY_NONE;
}

int scancode_decode(struct scancode_state *s, uint8_t code)
{
    uint8_t key = code & (uint8_t)~RELEASED;
    bool down = !(code & RELEASED), extended = s->extended;

    if (s->skip > 0) {
        s->skip--;
        return EDIT_KEY_NONE;
    }
    if (code == PAUSE) {
        s->skip = PAUSE_REST;
        return EDIT_KEY_NONE;
    }
    s->extended = code == EXTENDED;
    if (s->extended || modifier(s, key, down, extended) || !down)
        return EDIT_KEY_NONE;
    return pressed(s, key, extended);
}
