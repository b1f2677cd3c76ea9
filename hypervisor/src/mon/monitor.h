/* The monitor: commands about the guests, typed at the console after Ctrl-a m. */
#ifndef MON_MONITOR_H
#define MON_MONITOR_H

#include "lib/types.h"

void monitor_open(bool help);
/* One typed byte; false when the user leaves. */
bool monitor_input(uint8_t byte);

#endif
