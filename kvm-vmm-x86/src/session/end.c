/* How a run ends; see session/end.h. */
#include "session/end.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "console/console.h"
#include "console/streams.h"
#include "host/events.h"
#include "watch/postmortem/postmortem.h"
#include "watch/record/boot_report.h"
#include "watch/record/record.h"
#include "watch/record/stats.h"
#include "watch/travel/recorder.h"

enum { SIGNAL_STATUS = 128 };

static bool was_left;

bool session_end_was_left(void)
{
    return was_left;
}

const char *session_end_output_failure(int failure)
{
    static char text[96];

    snprintf(text, sizeof text, "its output cannot be written: %s", strerror(-failure));
    return text;
}

static bool ended_well(const struct vm_end *end)
{
    return end->kind == END_EXIT || end->kind == END_RESET || end->kind == END_HALT ||
           end->kind == END_LEFT;
}

int session_end_status(const struct vm_end *end)
{
    switch (end->kind) {
    case END_CODE:
        return end->code;
    case END_LIMIT:
        return STATUS_LIMIT;
    case END_CRASH:
        return STATUS_CRASH;
    case END_SIGNAL:
        return SIGNAL_STATUS + end->code;
    case END_FAILED:
        return STATUS_FAILED;
    default:
        return STATUS_OK;
    }
}

/* Even if all guests ended well, lost output is a failure. */
static int output_status(void)
{
    int failure = console_failure();

    if (failure == 0)
        return STATUS_OK;
    if (failure == -EPIPE)
        return SIGNAL_STATUS + SIGPIPE;
    console_printf("kvm-vmm: %s", session_end_output_failure(failure));
    streams_finish();
    return STATUS_FAILED;
}

/* The status comes from a signal, --timeout or a failure of the whole run; otherwise from the
 * guests; otherwise from whether their output was written. */
static int status_of_run(const struct vm_end *why, int guests)
{
    int status = session_end_status(why);

    if (status == STATUS_OK)
        status = guests;
    return status != STATUS_OK ? status : output_status();
}

/* Whether to print more than the reason of the end. */
static bool has_more(const struct vm_end *end, bool explain)
{
    return explain || end->kind == END_CRASH || end->kind == END_FAILED || end->kind == END_LIMIT;
}

/* A guest's own status that could be taken for one of ours. */
static bool is_ambiguous(const struct vm_end *end)
{
    return end->kind == END_CODE && (end->code == STATUS_USAGE || end->code >= STATUS_LIMIT);
}

static void name_end(const struct vm *vm, const struct vm_end *end, bool alone)
{
    unsigned guest = vm->index;

    if (end->message[0] != '\0')
        vcpu_printf(guest, "kvm-vmm: guest %u (%s): %s", guest, vm->name, end->message);
    else if (is_ambiguous(end))
        vcpu_printf(guest, "kvm-vmm: guest %u (%s) exited with %d", guest, vm->name, end->code);
    else if (!alone && end->kind != END_SIGNAL)
        vcpu_printf(guest, "kvm-vmm: guest %u (%s) ended with status %d", guest, vm->name,
                    session_end_status(end));
}

/* Reports a kernel that halts before it can print, for instance after an early exception. */
static void name_silent_halt(const struct vm *vm, const struct vm_end *end)
{
    if (end->kind == END_HALT && vm->mode == MODE_LINUX && vm->config->serial_path == NULL &&
        !console_has_printed(vm->index))
        vcpu_printf(vm->index,
                    "kvm-vmm: guest %u (%s): halted before it printed anything; --explain says "
                    "where",
                    vm->index, vm->name);
}

/* Prints why the run ends, unless done already; guests stopped by a limit have their own lines. */
static void print_reason(const struct vm_end *why, bool *told)
{
    if (*told || why->kind == END_NONE || (why->kind == END_SIGNAL && why->code == SIGPIPE))
        return;
    *told = true;
    if (why->kind == END_SIGNAL)
        console_printf("kvm-vmm: ended by SIG%s", events_signal_name(why->code));
    else if (why->message[0] != '\0')
        console_printf("kvm-vmm: %s", why->message);
}

int session_end_failed(const struct vm_end *why, const char *message)
{
    bool told = false;

    console_printf("kvm-vmm: %s", message);
    print_reason(why, &told);
    streams_finish();
    return status_of_run(why, STATUS_FAILED);
}

/* --stats, --boot-report, --log. -1: something could not be written, and the reason was printed. */
static int report_records(struct vm *vms, unsigned count, const struct record_config *config)
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

int session_end_report(struct vm *vms, unsigned count, const struct vm_end *why,
                       const struct record_config *record, bool explain)
{
    int status = STATUS_OK;
    bool told = false;

    was_left = why->kind == END_LEFT;
    for (unsigned i = 0; i < count; i++) {
        struct vm_end end = vm_end_of(&vms[i]);

        console_flush(i);
        told |= end.kind == why->kind && end.message[0] != '\0';
        if (has_more(&end, explain))
            postmortem_print(&vms[i], &end, explain);
        else if (!ended_well(&end))
            name_end(&vms[i], &end, count == 1);
        else
            name_silent_halt(&vms[i], &end);
        /* The lowest-numbered one that did not end well decides. */
        if (!ended_well(&end) && status == STATUS_OK)
            status = session_end_status(&end);
    }
    print_reason(why, &told);
    /* A missing log is a failure even if all guests ended well. */
    if (report_records(vms, count, record) < 0 && status == STATUS_OK)
        status = STATUS_FAILED;
    if (recorder_is_wanted() && recorder_finish(&vms[0]) < 0 && status == STATUS_OK)
        status = STATUS_FAILED;
    streams_finish();
    print_reason(why, &told); /* there may be a reason only now */
    (void)streams_service();
    return status_of_run(why, status);
}
