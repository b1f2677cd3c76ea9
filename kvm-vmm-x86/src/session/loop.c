/* The main thread's loop while guests run; see session/loop.h. */
#include "session/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "console/display.h"
#include "console/input.h"
#include "console/ports.h"
#include "console/streams.h"
#include "control/server.h"
#include "host/files/files.h"
#include "host/terminal.h"
#include "session/display.h"
#include "session/end.h"
#include "session/fork.h"
#include "session/forks.h"
#include "vm/alarm.h"
#include "vm/halt.h"
#include "vm/ticks.h"

enum { INPUT_CHUNK = 4096 };
#define MS UINT64_C(1000000)

/* How long all readers of our output together are waited for, once the run was told to end. */
#define GRACE (150 * MS)

static struct session *session;

void session_loop_end(enum end_kind kind, int code, const char *message)
{
    events_set_patience(session->end.kind != END_NONE && kind == END_SIGNAL ? 0 : GRACE);
    if (session->end.kind == END_NONE) {
        session->end = (struct vm_end){.kind = kind, .code = code};
        snprintf(session->end.message, sizeof session->end.message, "%s", message);
    }
    for (unsigned i = 0; i < session->count; i++)
        if (!session->restarts[i].pending)
            vm_stop(&session->vms[i], kind, code, "%s", message);
}

bool session_loop_is_running(unsigned guest)
{
    return !session->restarts[guest].pending && vm_is_running(&session->vms[guest]);
}

/* Presses the ACPI power button of each guest; a guest that handles it switches itself off. */
static void press_power(void)
{
    for (unsigned i = 0; i < session->count; i++)
        if (session_loop_is_running(i))
            acpi_pm_happen(&session->vms[i].machine.acpi_pm, ACPI_PM_POWER_BUTTON);
}

void session_loop_leave(void)
{
    session_loop_end(END_LEFT, 0, "");
}

static void on_command(enum input_command command)
{
    switch (command) {
    case INPUT_NEXT_GUEST:
        if (!display_is_on()) /* the display has only one guest */
            console_printf("kvm-vmm: input goes to guest %u", input_pass_focus());
        break;
    case INPUT_POWER:
        press_power();
        break;
    case INPUT_LEAVE:
        session_loop_leave();
        break;
    case INPUT_INTERRUPT:
        session_loop_end(END_SIGNAL, SIGINT, "");
        break;
    case INPUT_HELP:
        session_display_help();
        break;
    }
}

static void wake_guest(unsigned guest)
{
    if (session_loop_is_running(guest))
        vm_wake(&session->vms[guest]);
}

static void pass_port_input(unsigned guest)
{
    if (session_loop_is_running(guest))
        ticks_input(&session->vms[guest]);
}

int session_loop_open_debugger(unsigned i, struct error *error)
{
    return debug_server_open(&session->servers[i], &session->vms[i], session->options->gdb,
                             session->options->wait, error);
}

int session_loop_start_guest(unsigned i, struct error *error)
{
    if (session->end.kind != END_NONE)
        return error_set(error, "the run ended before guest %u started", i);
    return vm_start(&session->vms[i], events_wake, error);
}

/* True: wait for the event loop to be woken. An error ends the guest. */
static bool begin_restart(unsigned i)
{
    struct vm *vm = &session->vms[i];

    if (!session_restart_is_due(vm))
        return false;
    debug_server_end(&session->servers[i]);
    if (!control_forget(i))
        return true; /* a save of the guest must end first */
    input_restart(i);
    return session_restart_begin(&session->restarts[i], vm);
}

/* Takes a guest that is made again. False: that has failed, and no thread will wake the loop. */
static bool finish_restart(unsigned i)
{
    struct error error;
    int made = session_restart_take(&session->restarts[i], &error);

    if (made == 0)
        return true;
    if (made > 0 && session_loop_open_debugger(i, &error) == 0 &&
        session_loop_start_guest(i, &error) == 0) {
        pass_port_input(i); /* input that came meanwhile */
        return true;
    }
    vm_stop(&session->vms[i], END_FAILED, 0, "%s", error.text);
    return false;
}

/* Whether there is something to wait for. A guest that ends during these checks wakes the loop
 * again. */
static bool goes_on(void)
{
    bool running =
        session->options->forks != 0 && session_forks_go_on(session->end.kind != END_NONE);

    for (unsigned i = 0; i < session->count; i++)
        running |= session_loop_is_running(i);
    for (unsigned i = 0; i < session->count && session->end.kind == END_NONE; i++)
        running |= session->restarts[i].pending ? finish_restart(i) : begin_restart(i);
    return running;
}

void session_loop_check_ports(void)
{
    for (unsigned i = 0; i < session->count && session->end.kind == END_NONE; i++) {
        int failure = ports_failure(i);

        if (failure != 0)
            session_loop_end(END_FAILED, 0, session_end_output_failure(failure));
    }
}

/* If the reader is gone the run ends as by SIGPIPE; any other failure is reported. */
static void check_output(void)
{
    int failure = console_failure();

    if (failure == 0 || session->end.kind != END_NONE)
        return;
    if (failure == -EPIPE)
        session_loop_end(END_SIGNAL, SIGPIPE, "");
    else
        session_loop_end(END_FAILED, 0, session_end_output_failure(failure));
}

static void on_deadline(void *context)
{
    (void)context;
    if (!session_fork_outlives(session->options)) /* else it is the time limit of the copies */
        session_loop_end(END_LIMIT, 0, "stopped by --timeout");
}

static void on_tick(void *context)
{
    (void)context;
    console_tick();
}

static void on_picture(void *context)
{
    (void)context;
    display_tick();
}

static void on_look(void *context)
{
    (void)context;
    for (unsigned i = 0; i < session->count; i++)
        if (session_loop_is_running(i) && halt_is_watched(&session->vms[i]))
            halt_watch(&session->vms[i]);
}

static void on_end_look(void *context)
{
    (void)context;
    for (unsigned i = 0; i < session->count; i++) {
        if (!session_loop_is_running(i) || !input_has_ended(i))
            continue;
        if (session->vms[i].own_irqchip)
            ticks_ask(&session->vms[i], TICK_END);
        else
            serial_look_for_end(&session->vms[i].machine.serial);
    }
}

static void on_signal(int signal)
{
    switch (signal) {
    case SIGTSTP:
        display_leave();
        (void)streams_service();
        (void)terminal_set_raw(false);
        events_stop_process();
        display_enter();
        break; /* the next round makes it raw again if a guest still reads */
    case SIGCONT:
        terminal_forget(); /* the shell may have set it while we were stopped */
        display_leave();   /* and overwritten the screen */
        display_enter();
        break;
    case SIGPWR:
        press_power();
        break;
    case SIGWINCH:
        ports_resize();
        break;
    default:
        if (session->options->take_signal == NULL || !session_loop_is_running(0) ||
            !session->options->take_signal(signal))
            session_loop_end(END_SIGNAL, signal, "");
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

/* When no guest reads any more, the terminal turns Ctrl-C into a signal again. Input typed before
 * that is read here for the last time: a Ctrl-C in it ends the run. */
static void let_go_of_terminal(void)
{
    uint8_t bytes[INPUT_CHUNK];
    int n;

    if (!terminal_set_raw(false))
        return;
    n = streams_read(bytes, sizeof bytes);
    if (n > 0) {
        input_feed(bytes, (size_t)n);
        events_wake(); /* a guest may have new input */
    }
}

/* Sets what to wait for now. */
static void arrange(void)
{
    bool watched = false, ended = false;

    for (unsigned i = 0; i < session->count; i++) {
        watched |= session_loop_is_running(i) && halt_is_watched(&session->vms[i]);
        ended |= session_loop_is_running(i) && input_has_ended(i);
    }
    if (input_is_read())
        (void)terminal_set_raw(true);
    else
        let_go_of_terminal();
    streams_want_input(input_room() > 0);
    keep_running(&session->tick, console_wants_tick(), CONSOLE_TICK_MS * MS);
    keep_running(&session->picture, display_is_on(), DISPLAY_TICK_MS * MS);
    keep_running(&session->end_look, ended, SERIAL_LOOK_MS * MS);
    keep_running(&session->look, watched, HALT_WATCH_MS * MS);
    alarm_arrange(session->vms, session->count);
}

static void pass_news_on(void)
{
    for (unsigned i = 0, news = input_has_news(); news && i < session->count; i++)
        pass_port_input(i);
}

void session_loop_run(void)
{
    kernel_cache_start();
    while (goes_on()) {
        bool more = streams_service();

        check_output();
        session_loop_check_ports();
        pass_news_on();
        for (unsigned i = 0; i < session->count; i++) {
            if (session_loop_is_running(i))
                vm_check_memory(&session->vms[i]);
            debug_server_service(&session->servers[i]);
        }
        control_service();
        ports_service();
        if (session->options->service != NULL && session_loop_is_running(0) &&
            !session->options->service(&session->vms[0], session->options))
            session_loop_leave();
        arrange();
        events_run(more ? 0 : EVENTS_FOREVER);
    }
    streams_want_input(false);
    display_end();
    (void)terminal_set_raw(false);
}

bool session_loop_is_restarting(unsigned guest)
{
    return session->restarts[guest].pending;
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

static void init_timers(const struct options *options)
{
    session->deadline.expired = on_deadline;
    session->tick.expired = on_tick;
    session->picture.expired = on_picture;
    session->look.expired = on_look;
    session->end_look.expired = on_end_look;
    if (options->timeout != 0)
        events_timer_start(&session->deadline, options->timeout);
}

void session_loop_begin(struct session *run)
{
    session = run;
    streams_init(on_input);
    init_console_and_input(run->options);
    init_timers(run->options);
}

int session_loop_take_signals(struct error *error)
{
    return events_take_signals(on_signal, error);
}
