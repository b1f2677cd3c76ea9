/* What there is to say about guests that have ended, gathered for --stats and --log. */
#ifndef LOGBOOK_VIEW_H
#define LOGBOOK_VIEW_H

#include "vm/vm.h"
#include "watch/record/view.h"

struct logbook_view; /* what log_run borrows */

/* Reads the book and the VMs, which must stay until the view is released; NULL: no memory. */
struct logbook_view *logbook_view_create(struct vm *vms, unsigned count, struct log_run *run);
void logbook_view_release(struct logbook_view *view);

#endif
