/* --boot-report: marks the phases of each guest's boot as they pass, and tells about them at the
 * end. */
#ifndef BOOT_REPORT_H
#define BOOT_REPORT_H

#include "vm/vm.h"
#include "watch/record/boot_phases.h"
#include "watch/record/history.h"

/* Call it first: reads how long the process has taken so far. */
void boot_report_begin(unsigned guests);

/* For each guest, without a context, if there is a report to come. */
extern const struct observer boot_report_observer;

void boot_report_print(const struct vm *vm, const struct log_run *run,
                       const struct log_guest *guest);

#endif
