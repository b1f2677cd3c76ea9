/* One run of the program; see session.h. The main thread waits here while vCPUs run the guests. */
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "console/display.h"
#include "console/input.h"
#include "console/ports.h"
#include "console/streams.h"
#include "control/server.h"
#include "host/events.h"
#include "host/files.h"
#include "host/guard.h"
#include "host/terminal.h"
#include "session_display.h"
#include "session_end.h"
#include "session_files.h"
#include "session_fork.h"
#include "session_observers.h"
#include "session_program.h"
#include "session_restart.h"
#include "session_sandbox.h"
#include "vm/alarm.h"
#include "vm/create.h"
#include "vm/halt.h"
#include "watch/explain/guest_image.h"
#include "watch/gdb/server.h"
#include "watch/record/boot_report.h"
#include "watch/record/record.h"
#include "watch/travel/recorder.h"

enum { INPUT_CHUNK = 4096 };
#define MS UINT64_C(1000000)

/* How long those who read our output, all together, are waited for once the run was told to end. */
#define GRACE (150 * MS)

static struct session {
    const struct options *options;
    struct record_config record;
    struct vm vms[GUESTS_MAX];
    struct observers observers[GUESTS_MAX];
    struct guest_image images[GUESTS_MAX];
    struct debug_server servers[GUESTS_MAX];
    struct restart restarts[GUESTS_MAX];    /* while one is pending, its VM is not ours */
    struct guest_config guests[GUESTS_MAX]; /* with their disks open */
    unsigned count;
    struct vm_end end; /* why the run ends, whatever its guests do; END_NONE: with its last guest */
    struct event_timer deadline, tick, picture, look, end_look;
} session;

/* The first reason counts. Nothing is started again, and no reader keeps us any longer. */
static void end_run(enum end_kind kind, int code, const char *message)
{
    events_set_patience(session.end.kind != END_NONE && kind == END_SIGNAL ? 0 : GRACE);
    if (session.end.kind == END_NONE) {
        session.end = (struct vm_end){.kind = kind, .code = code};
        snprintf(session.end.message, sizeof session.end.message, "%s", message);
    }
    for (unsigned i = 0; i < session.count; i++)
        if (!session.restarts[i].pending)
            vm_stop(&session.vms[i], kind, code, "%s", message);
}

static bool is_running(unsigned guest)
{
    return !session.restarts[guest].pending && vm_is_running(&session.vms[guest]);
}

/* A guest that has a power button and listens to it switches itself off. */
static void press_power(void)
{
    for (unsigned i = 0; i < session.count; i++)
        if (is_running(i))
            acpi_pm_happen(&session.vms[i].machine.acpi_pm, ACPI_PM_POWER_BUTTON);
}

static void leave(void)
{
    end_run(END_LEFT, 0, "");
}

static void on_command(enum input_command command)
{
    switch (command) {
    case INPUT_NEXT_GUEST:
        if (!display_is_on()) /* which has one guest */
            console_printf("kvm-vmm: input goes to guest %u", input_pass_focus());
        break;
    case INPUT_POWER:
        press_power();
        break;
    case INPUT_LEAVE:
        leave();
        break;
    case INPUT_INTERRUPT:
        end_run(END_SIGNAL, SIGINT, "");
        break;
    case INPUT_HELP:
        session_display_help();
        break;
    }
}

static void wake_guest(unsigned guest)
{
    if (is_running(guest))
        vm_wake(&session.vms[guest]);
}

static void pass_port_input(unsigned guest)
{
    if (!is_running(guest))
        return;
    serial_input_ready(&session.vms[guest].machine.serial);
    vm_wake(&session.vms[guest]);
}

/* The place where a guest's debugger may connect, if the options say one. */
static int open_debugger(unsigned i, struct error *error)
{
    return debug_server_open(&session.servers[i], &session.vms[i], session.options->gdb,
                             session.options->wait, error);
}

/* The time limit may have passed while files were read. */
static int start_guest(unsigned i, struct error *error)
{
    if (session.end.kind != END_NONE)
        return error_set(error, "the run ended before guest %u started", i);
    return vm_start(&session.vms[i], events_wake, error);
}

/* True: the event loop is woken when there is more to do. What goes wrong ends the guest. */
static bool begin_restart(unsigned i)
{
    struct vm *vm = &session.vms[i];

    if (!session_restart_is_due(vm))
        return false;
    debug_server_end(&session.servers[i]);
    if (!control_forget(i))
        return true; /* what saves it has to give up first */
    input_restart(i);
    return session_restart_begin(&session.restarts[i], vm);
}

/* It is made, or cannot be: then there is no thread that could wake us. */
static bool finish_restart(unsigned i)
{
    struct error error;
    int made = session_restart_take(&session.restarts[i], &error);

    if (made == 0)
        return true;
    if (made > 0 && open_debugger(i, &error) == 0 && start_guest(i, &error) == 0) {
        pass_port_input(i); /* what was typed meanwhile */
        return true;
    }
    vm_stop(&session.vms[i], END_FAILED, 0, "%s", error.text);
    return false;
}

/* Whether there is something to wait for. A guest that ends between the looks wakes us again. */
static bool goes_on(void)
{
    bool running = false;

    for (unsigned i = 0; i < session.count; i++)
        running |= is_running(i);
    for (unsigned i = 0; i < session.count && session.end.kind == END_NONE; i++)
        running |= session.restarts[i].pending ? finish_restart(i) : begin_restart(i);
    return running;
}

static void check_ports(void)
{
    for (unsigned i = 0; i < session.count && session.end.kind == END_NONE; i++) {
        int failure = ports_failure(i);

        if (failure != 0)
            end_run(END_FAILED, 0, session_end_output_failure(failure));
    }
}

/* A reader that went away ends us as SIGPIPE would; any other failure is ours to report. */
static void check_output(void)
{
    int failure = console_failure();

    if (failure == 0 || session.end.kind != END_NONE)
        return;
    if (failure == -EPIPE)
        end_run(END_SIGNAL, SIGPIPE, "");
    else
        end_run(END_FAILED, 0, session_end_output_failure(failure));
}

static void on_deadline(void *context)
{
    (void)context;
    if (session.options->service == NULL || !session_fork_was_made()) /* else its copies end */
        end_run(END_LIMIT, 0, "stopped by --timeout");
}

static void on_tick(void *context)
{
    (void)context;
    console_tick();
}

static void on_picture(void *context)
{
    (void)context;
    if (!session.restarts[0].pending)
        display_tick();
}

static void on_look(void *context)
{
    (void)context;
    for (unsigned i = 0; i < session.count; i++)
        if (is_running(i) && halt_is_watched(&session.vms[i]))
            halt_watch(&session.vms[i]);
}

static void on_end_look(void *context)
{
    (void)context;
    for (unsigned i = 0; i < session.count; i++)
        if (is_running(i) && input_has_ended(i))
            serial_look_for_end(&session.vms[i].machine.serial);
}

static void on_signal(int signal)
{
    switch (signal) {
    case SIGTSTP:
        display_leave();
        (void)streams_service();
        terminal_set_raw(false);
        events_stop_process();
        display_enter();
        break; /* the next round makes it raw again if a guest still reads */
    case SIGCONT:
        terminal_forget(); /* the shell may have set it while we were stopped */
        display_leave();   /* and written over the page */
        display_enter();
        break;
    case SIGPWR:
        press_power();
        break;
    case SIGWINCH:
        ports_resize();
        break;
    default:
        if (session.options->take_signal == NULL || !session.options->take_signal(signal))
            end_run(END_SIGNAL, signal, "");
    }
}

static void on_input(void *context)
{
    uint8_t bytes[INPUT_CHUNK];
    size_t room = input_room();
    int n;

    (void)context;
    if (room == 0)
        return;
    n = streams_read(bytes, room < sizeof bytes ? room : sizeof bytes);
    if (n > 0)
        input_feed(bytes, (size_t)n);
    else if (n != -EAGAIN)
        input_finish();
    display_input();
}

static void keep_running(struct event_timer *timer, bool wanted, uint64_t period)
{
    if (wanted && !timer->running)
        events_timer_start(timer, period);
}

/* What has to be waited for now. */
static void arrange(void)
{
    bool watched = false, ended = false;

    for (unsigned i = 0; i < session.count; i++) {
        watched |= is_running(i) && halt_is_watched(&session.vms[i]);
        ended |= is_running(i) && input_has_ended(i);
    }
    terminal_set_raw(input_is_read());
    streams_want_input(input_room() > 0);
    keep_running(&session.tick, console_wants_tick(), CONSOLE_TICK_MS * MS);
    keep_running(&session.picture, display_is_on(), DISPLAY_TICK_MS * MS);
    keep_running(&session.end_look, ended, SERIAL_LOOK_MS * MS);
    keep_running(&session.look, watched, HALT_WATCH_MS * MS);
    alarm_arrange(session.vms, session.count);
}

static void pass_news_on(void)
{
    for (unsigned i = 0, news = input_has_news(); news && i < session.count; i++)
        pass_port_input(i);
}

static void wait_for_guests(void)
{
    kernel_cache_start();
    while (goes_on()) {
        bool more = streams_service();

        check_output();
        check_ports();
        pass_news_on();
        for (unsigned i = 0; i < session.count; i++) {
            if (is_running(i))
                vm_check_memory(&session.vms[i]);
            debug_server_service(&session.servers[i]);
        }
        control_service();
        ports_service();
        if (session.options->service != NULL && is_running(0) &&
            !session.options->service(&session.vms[0], session.options))
            leave();
        arrange();
        events_run(more ? 0 : EVENTS_FOREVER);
    }
    streams_want_input(false);
    display_end();
    terminal_set_raw(false);
}

static int add_guests(struct error *error)
{
    for (unsigned i = 0; i < session.options->count; i++) {
        session.servers[i].status = session_end_status;
        session_observe(i, session.options, &session.observers[i], &session.images[i],
                        &session.servers[i]);
        if (vm_create(&session.vms[i], i, &session.guests[i], &session_program,
                      &session.observers[i], error) < 0)
            return -1;
        session.count++;
        if (open_debugger(i, error) < 0)
            return -1;
    }
    return 0;
}

/* After the guests are made: a file is not emptied for a run that cannot begin. */
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
        if (start_guest(i, error) < 0) {
            end_run(END_SIBLING, 0, "");
            return -1;
        }
    if (session.options->begun != NULL)
        session.options->begun();
    return 0;
}

static void init_console_and_input(const struct options *options)
{
    bool terminal = terminal_is(FILE_STDOUT);

    console_init(&(struct console_config){
        .guests = options->count,
        .cpus = options->guests[0].cpus != 0 ? options->guests[0].cpus : 1,
        .color = options->color == COLOR_ALWAYS ||
                 (options->color == COLOR_AUTO && terminal && options->count > 1),
        .terminal = terminal,
        .same = streams_are_one(),
        .write = streams_write,
        .wake = events_wake,
        .room = wake_guest});
    input_init(&(struct input_config){.guests = options->count,
                                      .focus = options->input,
                                      .keys = terminal_is(FILE_STDIN),
                                      .wake = events_wake,
                                      .command = on_command});
    ports_init(pass_port_input);
}

static bool is_restarting(unsigned guest)
{
    return session.restarts[guest].pending;
}

static int open_control(struct error *error)
{
    return control_open(session.options->control,
                        &(struct control_run){.vms = session.vms,
                                              .count = session.count,
                                              .name = session.options->control,
                                              .is_running = is_running,
                                              .is_restarting = is_restarting,
                                              .stop = leave,
                                              .options = session.options,
                                              .check_copy = session_fork_check_verb,
                                              .copy = session_fork,
                                              .begin = session_run},
                        error);
}

static void init_timers(const struct options *options)
{
    session.deadline.expired = on_deadline;
    session.tick.expired = on_tick;
    session.picture.expired = on_picture;
    session.look.expired = on_look;
    session.end_look.expired = on_end_look;
    if (options->timeout != 0)
        events_timer_start(&session.deadline, options->timeout);
}

int session_run(const struct options *options)
{
    struct error error;
    struct vm *vms;
    bool started, saved;
    int status;

    memset(&session, 0, sizeof session); /* a copy begins with its origin's */
    session.options = options;
    session.record = (struct record_config){.stats = options->stats,
                                            .boot_report = options->boot_report,
                                            .log = options->log,
                                            .log_size = options->log_size,
                                            .guests = options->count};
    if (options->boot_report)
        boot_report_begin(options->count);
    streams_init(on_input);
    init_console_and_input(options);
    init_timers(options);
    terminal_init();
    thread_kicks_init();
    guard_init();
    started = session_files_check(options, &error) == 0 &&
              session_files_open(options, session.guests, &error) == 0 &&
              events_init(&error) == 0 && record_open(&session.record, &error) == 0 &&
              recorder_open(options->record, options->replay, &error) == 0 &&
              add_guests(&error) == 0;
    session_files_are_read();
    started = started && events_take_signals(on_signal, &error) == 0 && open_ports(&error) == 0 &&
              open_control(&error) == 0 &&
              session_display_start(options, &session.vms[0], is_running, &error) == 0 &&
              session_sandbox_enter(options, session.guests, &error) == 0 &&
              start_guests(&error) == 0;
    if (started)
        wait_for_guests();
    else
        display_leave();
    saved = control_close();
    for (unsigned i = 0; !started && i < session.count; i++)
        console_flush(i);
    vms = session_restart_finish(session.restarts, session.vms, session.count, &session.end);
    ports_finish(flush_console);
    check_ports();
    for (unsigned i = 0; i < session.count; i++)
        debug_server_close(&session.servers[i]);
    record_stop();
    status = started ? session_end_report(vms, session.count, &session.end, &session.record,
                                          options->explain)
                     : session_end_failed(&session.end, error.text);
    if (vms != session.vms || !saved)
        return status; /* a thread still has what would be freed */
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
