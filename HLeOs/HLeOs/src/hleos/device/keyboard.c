/* Drives the Intel 8042, as in IBM's PS/2 technical reference; see keyboard.h. */
#include "device/keyboard.h"

#include <stddef.h>

#include "common/x86.h"
#include "device/scancode.h"
#include "interrupt.h"

enum { DATA = 0x60, STATUS = 0x64, COMMAND = 0x64, LINE = 1 };
enum { OUTPUT_FULL = 1, INPUT_FULL = 2, FROM_MOUSE = 0x20 };
enum {
    READ_CONFIGURATION = 0x20,
    WRITE_CONFIGURATION = 0x60,
    DISABLE_MOUSE = 0xa7,
    DISABLE_KEYBOARD = 0xad,
    ENABLE_KEYBOARD = 0xae
};
enum { INTERRUPT_KEYBOARD = 1, INTERRUPT_MOUSE = 2, CLOCK_OFF_KEYBOARD = 0x10, TRANSLATE = 0x40 };
enum { KEYBOARD_SCAN = 0xf4, LOOKS = 100000, DRAIN_MAX = 64 };

static struct scancode_state state = {.num_lock = false};
static void (*receiver)(int key);

static void wait_writable(void)
{
    for (int look = 0; look < LOOKS && (x86_in8(STATUS) & INPUT_FULL); look++)
        x86_pause();
}

static bool wait_readable(void)
{
    for (int look = 0; look < LOOKS; look++)
        if (x86_in8(STATUS) & OUTPUT_FULL)
            return true;
    return false;
}

static void command(uint8_t value)
{
    wait_writable();
    x86_out8(COMMAND, value);
}

static void data(uint8_t value)
{
    wait_writable();
    x86_out8(DATA, value);
}

static void drain(void)
{
    for (int i = 0; i < DRAIN_MAX && (x86_in8(STATUS) & OUTPUT_FULL); i++)
        (void)x86_in8(DATA);
}

static void arrived(void *context)
{
    (void)context;
    for (int i = 0; i < DRAIN_MAX; i++) {
        uint8_t status = x86_in8(STATUS);

        if (!(status & OUTPUT_FULL))
            return;
        if (status & FROM_MOUSE)
            (void)x86_in8(DATA);
        else
            receiver(scancode_decode(&state, x86_in8(DATA)));
    }
}

bool keyboard_init(void (*receive)(int key))
{
    uint8_t configuration;

    if (x86_in8(STATUS) == 0xff) /* no device answers at that port */
        return false;
    receiver = receive;
    command(DISABLE_KEYBOARD);
    command(DISABLE_MOUSE);
    drain();
    command(READ_CONFIGURATION);
    if (!wait_readable())
        return false;
    configuration = x86_in8(DATA);
    configuration &= (uint8_t) ~(INTERRUPT_MOUSE | CLOCK_OFF_KEYBOARD);
    configuration |= INTERRUPT_KEYBOARD | TRANSLATE;
    command(WRITE_CONFIGURATION);
    data(configuration);
    command(ENABLE_KEYBOARD);
    data(KEYBOARD_SCAN);
    if (wait_readable())
        (void)x86_in8(DATA); /* the acknowledgement byte */
    interrupt_attach_line(LINE, "keyboard", arrived, NULL);
    return true;
}
