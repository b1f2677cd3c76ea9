/* Set-1 scan codes of the PC keyboard into keys, US layout. Pure; keyboard.h is the device. */
#ifndef HLEOS_DEVICE_SCANCODE_H
#define HLEOS_DEVICE_SCANCODE_H

#include <stdbool.h>
#include <stdint.h>

/* Which modifier keys are down, which locks are on, and the state of a sequence that is not
 * complete. */
struct scancode_state {
    bool left_shift, right_shift, left_control, right_control, left_alt, right_alt;
    bool caps_lock, num_lock;
    bool extended; /* after E0 */
    uint8_t skip;  /* bytes of the Pause key's E1 sequence still to come */
};

/* Takes one byte; returns a character, an edit_key (common/edit.h), or EDIT_KEY_NONE where a key
 * goes up, a modifier changes or more is to come. Ctrl makes control characters, Alt sets bit 7. */
int scancode_decode(struct scancode_state *state, uint8_t code);

#endif
