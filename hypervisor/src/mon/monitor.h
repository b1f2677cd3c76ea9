/* The monitor: commands about the guests, typed at the console after Ctrl-a m. */
#ifndef MON_MONITOR_H
#define MON_MONITOR_H

#include "vm/vm.h"

void monitor_open(bool help);
/* Another has the console: what a command still writes ends. */
void monitor_close(void);
/* One typed byte; false when the user leaves. Commands that name no guest mean `front`. */
bool monitor_input(uint8_t byte, struct vm *front);

#endif
