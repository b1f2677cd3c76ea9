/* The monitor: commands about the guests, typed at the console after Ctrl-a m. */
#ifndef MON_MONITOR_H
#define MON_MONITOR_H

#include "vm/vm.h"

void monitor_open(bool help);
/* Another part has the console now: ends the output of a running command. */
void monitor_close(void);
/* One typed byte; false when the user leaves. Commands without a guest's name act on `front`. */
bool monitor_input(uint8_t byte, struct vm *front);

#endif
