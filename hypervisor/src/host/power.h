/* The machine's end. */
#ifndef HOST_POWER_H
#define HOST_POWER_H

#include "lib/types.h"

/* Lets the serial port send what waits, and switches off; `failed` makes an emulator's status
 * differ from 0. */
__attribute__((noreturn)) void power_off(bool failed);

#endif
