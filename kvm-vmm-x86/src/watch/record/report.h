/* What is printed and written about a run that is over: --stats, --boot-report, --log. */
#ifndef RECORD_REPORT_H
#define RECORD_REPORT_H

#include "watch/record/record.h"

/* -1: something could not be written, and the reason was printed. */
int record_report(struct vm *vms, unsigned count, const struct record_config *config) MUST_CHECK;

#endif
