/*
 * From what a terminal sends for a key to what a keyboard does: scan codes of set 1, down and up,
 * with the shift, control and alt keys that the character needs. US layout. Pure.
 */
#ifndef DISPLAY_KEYS_H
#define DISPLAY_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum { KEYS_CODES_MAX = 16, KEYS_PARAMETERS = 3 }; /* the last parameter takes what is too much */

enum keys_state { KEYS_PLAIN, KEYS_ESCAPE, KEYS_CSI, KEYS_SS3, KEYS_LINUX };

/* A sequence begun. */
struct keys {
    enum keys_state state;
    unsigned parameters[KEYS_PARAMETERS], parameter;
    unsigned quiet; /* keys_idle calls since it last grew */
};

/* The next byte; how many codes the keyboard sends for it (0: none yet, or no such key). */
size_t keys_byte(struct keys *keys, uint8_t byte, uint8_t codes[KEYS_CODES_MAX]);

/* Called regularly while nothing arrives: an escape that nothing has followed was the key Esc. */
size_t keys_idle(struct keys *keys, uint8_t codes[KEYS_CODES_MAX]);

#endif
