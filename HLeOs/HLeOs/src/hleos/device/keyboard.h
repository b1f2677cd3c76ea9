/* The PS/2 keyboard behind an i8042 controller, by interrupt. */
#ifndef HLEOS_DEVICE_KEYBOARD_H
#define HLEOS_DEVICE_KEYBOARD_H

#include <stdbool.h>

/* Calls `receive` for each key that is pressed, in an interrupt. False if there is no
 * controller. */
bool keyboard_init(void (*receive)(int key));

#endif
