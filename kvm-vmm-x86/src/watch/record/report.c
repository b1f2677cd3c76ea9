/* What is printed and written about a run that is over; see report.h. */
#include "watch/record/report.h"

#include "console/console.h"
#include "watch/record/boot_report.h"
#include "watch/record/stats.h"

int record_report(struct vm *vms, unsigned count, const struct record_config *config)
{
    const struct log_run *run;
    struct error error;

    if (!record_is_wanted())
        return 0;
    run = record_finish(vms, count, &error);
    for (unsigned i = 0; i < count && run != NULL; i++) {
        console_flush(i);
        if (config->stats)
            stats_print(run, &run->guests[i]);
        if (config->boot_report)
            boot_report_print(&vms[i], run, &run->guests[i]);
    }
    if (run != NULL && record_write(run, &error) == 0)
        return 0;
    console_printf("kvm-vmm: %s", error.text);
    return -1;
}
