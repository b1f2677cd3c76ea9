/* Switching the machine off. */
#ifndef HOST_POWER_H
#define HOST_POWER_H

#include "lib/types.h"

/* Sends what waits for the serial port, and switches the machine off; `failed` makes an emulator's
 * status differ from 0. */
__attribute__((noreturn)) void power_off(bool failed);

#endif
