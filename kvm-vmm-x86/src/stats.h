/* What --stats prints when a guest has ended: exits by kind, by device and direction, and where the
 * time went. */
#ifndef STATS_H
#define STATS_H

#include "vm.h"

void stats_print(const struct vm *vm);

#endif
