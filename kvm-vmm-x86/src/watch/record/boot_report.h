/* --boot-report: marks the phases of each guest's boot as they pass, and tells about them at the
 * end. */
#ifndef BOOT_REPORT_H
#define BOOT_REPORT_H

#include "vm/vm.h"
#include "watch/record/boot_phases.h"
#include "watch/record/view.h"

/* First of all: reads how long the process has taken to get here. */
void boot_report_begin(const struct options *options);

/* A phase begins now. Costs nothing if there is no report to come. */
void boot_report_mark(unsigned guest, enum boot_phase phase);

/* For console_config.tap, in the thread of the vCPU that printed; `vms` as of boot_report_watch. */
void boot_report_output(unsigned guest, const uint8_t *bytes, size_t count);
void boot_report_watch(const struct vm *vms);

void boot_report_print(const struct vm *vm, const struct log_run *run,
                       const struct log_guest *guest);

#endif
