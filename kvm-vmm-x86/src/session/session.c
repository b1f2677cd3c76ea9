/* One run of the program, from its set-up to its status; see session/session.h. */
#include "session/session.h"

#include <string.h>

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "console/display.h"
#include "console/ports.h"
#include "control/server.h"
#include "host/guard.h"
#include "host/terminal.h"
#include "session/display.h"
#include "session/end.h"
#include "session/files.h"
#include "session/fork.h"
#include "session/look.h"
#include "session/loop.h"
#include "session/observers.h"
#include "session/program.h"
#include "session/sandbox.h"
#include "watch/record/boot_report.h"
#include "watch/travel/recorder.h"

static struct session session;

/* KVM is opened before the images. Where that fails, a wrong name is still the first thing to say.
 */
static int say_first(struct error *error)
{
    struct error named;

    if (session_look(session.options, &named) < 0)
        *error = named;
    return -1;
}

static int add_guests(struct error *error)
{
    for (unsigned i = 0; i < session.options->count; i++) {
        session.servers[i].status = session_end_status;
        session_observe(i, session.options, &session.observers[i], &session.images[i],
                        &session.servers[i]);
        if (vm_create(&session.vms[i], i, &session.guests[i], &session_program,
                      &session.observers[i], error) < 0)
            return say_first(error);
        session.count++;
        if (session_loop_open_debugger(i, error) < 0)
            return -1;
    }
    return 0;
}

/* Called after the guests are made, so that no file is truncated if the run cannot begin. */
static int open_ports(struct error *error)
{
    for (unsigned i = 0; i < session.count; i++)
        if (ports_open(i, &session.guests[i], error) < 0)
            return -1;
    return 0;
}

static void flush_console(unsigned guest)
{
    if (!session.restarts[guest].pending)
        vm_io_flush_console(&session.vms[guest]);
}

static int start_guests(struct error *error)
{
    record_start();
    for (unsigned i = 0; i < session.count; i++)
        if (session_loop_start_guest(i, error) < 0) {
            session_loop_end(END_SIBLING, 0, "");
            return -1;
        }
    if (session.options->begun != NULL)
        session.options->begun();
    return 0;
}

static int open_control(struct error *error)
{
    return control_open(session.options->control,
                        &(struct control_run){.vms = session.vms,
                                              .count = session.count,
                                              .name = session.options->control,
                                              .is_running = session_loop_is_running,
                                              .is_restarting = session_loop_is_restarting,
                                              .stop = session_loop_leave,
                                              .options = session.options,
                                              .check_copy = session_fork_check_verb,
                                              .copy = session_fork,
                                              .begin = session_run},
                        error);
}

int session_run(const struct options *options)
{
    struct error error;
    struct vm *vms;
    bool started, saved;
    int status;

    if (session.options != NULL) /* in a copy: that of the origin */
        memset(&session, 0, sizeof session);
    session.options = options;
    session.record = (struct record_config){.stats = options->stats,
                                            .boot_report = options->boot_report,
                                            .log = options->log,
                                            .log_size = options->log_size,
                                            .guests = options->count};
    if (options->boot_report)
        boot_report_begin(options->count);
    session_loop_begin(&session);
    terminal_init();
    thread_kicks_init();
    guard_init();
    started = session_files_check(options, &error) == 0 &&
              session_files_open(options, session.guests, &error) == 0 &&
              events_init(&error) == 0 && record_open(&session.record, &error) == 0 &&
              recorder_open(options->record, options->replay, &error) == 0 &&
              add_guests(&error) == 0;
    session_files_are_read();
    started = started && session_loop_take_signals(&error) == 0 && open_ports(&error) == 0 &&
              open_control(&error) == 0 &&
              session_display_start(options, &session.vms[0], session_loop_is_running,
                                    session_loop_is_restarting, &error) == 0 &&
              session_sandbox_enter(options, session.guests, &error) == 0 &&
              start_guests(&error) == 0;
    if (started)
        session_loop_run();
    else
        display_end();
    saved = control_close();
    for (unsigned i = 0; !started && i < session.count; i++)
        console_flush(i);
    vms = session_restart_finish(session.restarts, session.vms, session.count, &session.end);
    ports_finish(flush_console);
    session_loop_check_ports();
    for (unsigned i = 0; i < session.count; i++)
        debug_server_close(&session.servers[i]);
    record_stop();
    status = started ? session_end_report(vms, session.count, &session.end, &session.record,
                                          options->explain)
                     : session_end_failed(&session.end, error.text);
    if (vms != session.vms || !saved)
        return status; /* a thread still uses what would be freed */
    for (unsigned i = 0; i < session.count; i++) {
        vm_destroy(&session.vms[i]);
        guest_image_release(&session.images[i]);
    }
    session_files_close(options, session.guests);
    record_close();
    recorder_close();
    kernel_cache_finish();
    return status;
}
