/* What --stats prints when a guest has ended: exits by kind, by device and direction, and where the
 * time went. */
#ifndef STATS_H
#define STATS_H

#include "watch/record/history.h"

/* `run` is over; `guest` is one of it. */
void stats_print(const struct log_run *run, const struct log_guest *guest);

/* Where in the guest its exits came from, alone. */
void stats_print_functions(const struct log_run *run, const struct log_guest *guest);

#endif
