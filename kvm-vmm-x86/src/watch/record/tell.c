/* What is said and written about guests that have ended; see tell.h. */
#include "watch/record/tell.h"

#include "console/console.h"
#include "watch/record/boot_report.h"
#include "watch/record/logbook.h"
#include "watch/record/logbook_view.h"
#include "watch/record/stats.h"

int tell_run(struct vm *vms, unsigned count, const struct options *options)
{
    struct logbook_view *view;
    struct log_run run;
    struct error error;
    int result;

    if (!options->stats && !options->boot_report && options->log == NULL)
        return 0;
    view = logbook_view_create(vms, count, &run);
    if (view == NULL) {
        console_printf("kvm-vmm: no memory to write about the run");
        return -1;
    }
    for (unsigned i = 0; i < count; i++) {
        console_flush(i);
        if (options->stats)
            stats_print(&vms[i], &run, &run.guests[i]);
        if (options->boot_report)
            boot_report_print(&vms[i], &run, &run.guests[i]);
    }
    result = logbook_write(&run, &error);
    if (result < 0)
        console_printf("kvm-vmm: %s", error.text);
    logbook_view_release(view);
    return result;
}
