/* One run of the program; see session.h. The main thread waits here while vCPU threads run the
 * guests. */
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "console/display.h"
#include "console/input.h"
#include "host/events.h"
#include "host/files.h"
#include "host/terminal.h"
#include "vm/create.h"
#include "vm/halt.h"
#include "watch/explain/guest_symbols.h"
#include "watch/gdb/server.h"
#include "watch/gdb/step.h"
#include "watch/postmortem/postmortem.h"
#include "watch/postmortem/trail.h"
#include "watch/record/boot_report.h"
#include "watch/record/record.h"
#include "watch/record/report.h"

enum { INPUT_CHUNK = 4096, SIGNAL_STATUS = 128 };

static struct session {
    const struct options *options;
    struct record_config record;
    struct vm vms[GUESTS_MAX];
    struct observers observers[GUESTS_MAX];
    struct guest_symbols symbols[GUESTS_MAX];
    struct debug_server servers[GUESTS_MAX];
    unsigned count;
    bool leaving; /* nothing is started again */
    bool ticks;   /* the console wants console_tick; atomic */
    uint64_t deadline;
} session;

static void want_ticks(void)
{
    __atomic_store_n(&session.ticks, true, __ATOMIC_RELEASE);
    events_wake();
}

static void stop_all(enum end_kind kind, int code, const char *message)
{
    session.leaving = true;
    files_hurry(); /* a reader who takes nothing must not keep us */
    for (unsigned i = 0; i < session.count; i++)
        vm_stop(&session.vms[i], kind, code, "%s", message);
}

static void on_command(enum input_command command)
{
    switch (command) {
    case INPUT_NEXT_GUEST:
        if (display_is_on()) /* a display has one guest */
            break;
        console_printf("kvm-vmm: input goes to guest %u", input_pass_focus());
        break;
    case INPUT_LEAVE:
        stop_all(END_LEFT, 0, "");
        break;
    case INPUT_INTERRUPT:
        stop_all(END_SIGNAL, SIGINT, "");
        break;
    case INPUT_HELP:
        if (display_is_on()) {
            display_say("Ctrl-A x leaves, Ctrl-A Ctrl-A sends a Ctrl-A");
            break;
        }
        console_printf("kvm-vmm: Ctrl-A x leaves, Ctrl-A n passes the input to the next guest,\n"
                       "kvm-vmm: Ctrl-A Ctrl-A sends a Ctrl-A, Ctrl-A h prints this");
        break;
    }
}

static bool any_running(void)
{
    for (unsigned i = 0; i < session.count; i++)
        if (vm_is_running(&session.vms[i]))
            return true;
    return false;
}

/* Makes a guest, and the place where its debugger may connect. */
static int create_guest(unsigned i, struct error *error)
{
    struct vm *vm = &session.vms[i];

    if (vm_create(vm, i, &session.options->guests[i], &session.observers[i], error) < 0)
        return -1;
    if (debug_server_open(&session.servers[i], vm, session.options, error) == 0)
        return 0;
    vm_destroy(vm);
    return -1;
}

static int start_guest(unsigned i, struct error *error)
{
    if (vm_start(&session.vms[i], events_wake, error) < 0)
        return -1;
    return debug_server_start(&session.servers[i], error);
}

/* A guest that has reset its machine is made again from its files. What goes wrong ends it. */
static bool restart_guest(unsigned i)
{
    struct vm *vm = &session.vms[i];
    struct error error;
    uint64_t exits;

    if (!vm->config->reboot || vm_is_running(vm) || vm_end_of(vm).kind != END_RESET)
        return false;
    vm_join(vm);
    debug_server_close(&session.servers[i]);
    exits = vm_exits(vm);
    vm_destroy(vm);
    input_restart(i);
    if (create_guest(i, &error) == 0) {
        vm->exits_before = exits;
        if (start_guest(i, &error) == 0)
            return true;
    }
    vm_stop(vm, END_FAILED, 0, "%s", error.text);
    return true;
}

/* Whether there is something to wait for. A guest that ends between the two looks has woken us for
 * another. */
static bool goes_on(void)
{
    bool running = any_running();

    for (unsigned i = 0; i < session.count && !session.leaving; i++)
        running |= restart_guest(i);
    return running;
}

static int earlier(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* How long nothing but events needs doing; -1: for ever. */
static int next_timeout(void)
{
    int timeout = -1;

    if (__atomic_load_n(&session.ticks, __ATOMIC_ACQUIRE))
        timeout = CONSOLE_TICK_MS;
    if (display_is_on())
        timeout = earlier(timeout, DISPLAY_TICK_MS);
    for (unsigned i = 0; i < session.count; i++)
        if (halt_is_watched(&session.vms[i]))
            timeout = earlier(timeout, HALT_WATCH_MS);
    if (session.deadline != 0) {
        uint64_t now = events_now();
        uint64_t left = session.deadline > now ? session.deadline - now : 0;

        timeout = earlier(timeout, left > 1000000000 ? 1000 : (int)(left / 1000000) + 1);
    }
    return timeout;
}

static const char *output_trouble(int failure)
{
    static char text[96];

    snprintf(text, sizeof text, "its output cannot be written: %s", strerror(-failure));
    return text;
}

/* A reader that went away ends us as SIGPIPE would; any other failure of standard output is ours to
 * report. */
static void check_output(void)
{
    int failure = console_failure() != 0 ? console_failure() : display_failure();

    if (failure == -EPIPE)
        stop_all(END_SIGNAL, SIGPIPE, "");
    else if (failure != 0)
        stop_all(END_FAILED, 0, output_trouble(failure));
}

static void do_timed_work(void)
{
    static uint64_t last_watch;
    uint64_t now = events_now();

    if (__atomic_load_n(&session.ticks, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&session.ticks, false, __ATOMIC_RELEASE);
        if (console_tick())
            __atomic_store_n(&session.ticks, true, __ATOMIC_RELEASE);
    }
    if (now - last_watch >= HALT_WATCH_MS * UINT64_C(1000000)) {
        last_watch = now;
        for (unsigned i = 0; i < session.count; i++)
            if (halt_is_watched(&session.vms[i]))
                halt_watch(&session.vms[i]);
    }
    if (session.deadline != 0 && now >= session.deadline)
        stop_all(END_LIMIT, 0, "stopped by --timeout");
    display_tick();
    check_output();
}

static void on_signal(int signal)
{
    if (signal == SIGTSTP) {
        display_leave();
        terminal_set_raw(false);
        events_stop_process();
        display_enter();
        return; /* the next round makes it raw again if a guest still reads */
    }
    if (signal == SIGCONT) {
        terminal_forget(); /* the shell may have set it while we were stopped */
        display_leave();   /* and written over the page */
        display_enter();
        return;
    }
    stop_all(END_SIGNAL, signal, "");
}

static void read_input(void)
{
    uint8_t bytes[INPUT_CHUNK];
    size_t room = input_room();
    int n;

    if (room == 0)
        return;
    n = file_read(FILE_STDIN, bytes, room < sizeof bytes ? room : sizeof bytes);
    if (n > 0)
        input_feed(bytes, (size_t)n);
    else if (n != -EINTR && n != -EAGAIN)
        input_finish();
    for (unsigned i = 0; i < session.count; i++)
        serial_input_ready(&session.vms[i].machine.serial);
}

static void wait_for_guests(void)
{
    while (goes_on()) {
        struct events happened;

        terminal_set_raw(input_is_read());
        happened = events_wait(next_timeout(), input_room() > 0);
        if (happened.signal != 0)
            on_signal(happened.signal);
        if (happened.input)
            read_input();
        for (unsigned i = 0; i < session.count; i++)
            vm_wake(&session.vms[i]);
        do_timed_work();
    }
    display_end();
    terminal_set_raw(false);
}

static bool ended_well(const struct vm_end *end)
{
    return end->kind == END_EXIT || end->kind == END_RESET || end->kind == END_HALT ||
           end->kind == END_LEFT;
}

static int status_of(const struct vm_end *end)
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

/* Guests that ended well are not well served if what they printed last went nowhere. */
static int output_status(void)
{
    int failure = console_failure();

    if (failure == 0)
        return STATUS_OK;
    if (failure == -EPIPE)
        return SIGNAL_STATUS + SIGPIPE;
    console_printf("kvm-vmm: %s", output_trouble(failure));
    return STATUS_FAILED;
}

/* Whether there is more to say than how it ended. */
static bool has_tale(const struct vm_end *end)
{
    return session.options->explain || end->kind == END_CRASH || end->kind == END_FAILED ||
           end->kind == END_LIMIT;
}

/* Names each guest that did not end well; the status is that of the lowest-numbered one. */
static int report(void)
{
    int status = STATUS_OK;

    for (unsigned i = 0; i < session.count; i++) {
        struct vm *vm = &session.vms[i];
        struct vm_end end = vm_end_of(vm);

        console_flush(i);
        if (has_tale(&end))
            postmortem_tell(vm, &end, session.options->explain);
        if (ended_well(&end))
            continue;
        if (status == STATUS_OK)
            status = status_of(&end);
        if (end.message[0] != '\0' && !has_tale(&end))
            vcpu_printf(i, "kvm-vmm: guest %u (%s): %s", i, vm->name, end.message);
        else if (end.message[0] == '\0' && session.count > 1)
            vcpu_printf(i, "kvm-vmm: guest %u (%s) ended with status %d", i, vm->name,
                        status_of(&end));
    }
    /* Guests that ended well are not well served without their log. */
    if (record_report(session.vms, session.count, &session.record) < 0 && status == STATUS_OK)
        status = STATUS_FAILED;
    return status == STATUS_OK ? output_status() : status;
}

/* Who looks on at a guest, by the options. Session-long: a guest that starts again keeps them. */
static void add_observers(unsigned i)
{
    const struct options *o = session.options;
    struct observers *observers = &session.observers[i];

    session.symbols[i] =
        (struct guest_symbols){.path = o->symbols, .wanted = o->stats || o->log != NULL};
    observers_add(observers, &guest_symbols_observer, &session.symbols[i]);
    observers_add(observers, &trail_observer, NULL);
    if (o->verbose)
        observers_add(observers, &record_verbose_observer, NULL);
    if (record_is_wanted())
        observers_add(observers, &record_observer, NULL);
    if (o->gdb != NULL)
        observers_add(observers, &gdb_observer, &session.servers[i].debug);
    if (o->boot_report)
        observers_add(observers, &boot_report_observer, NULL);
}

static int add_guests(struct error *error)
{
    for (unsigned i = 0; i < session.options->count; i++) {
        session.servers[i].status = status_of;
        add_observers(i);
        if (create_guest(i, error) < 0)
            return -1;
        session.count++;
    }
    return 0;
}

static int start_guests(struct error *error)
{
    record_start();
    for (unsigned i = 0; i < session.count; i++) {
        if (start_guest(i, error) < 0) {
            stop_all(END_SIBLING, 0, "");
            return -1;
        }
    }
    return 0;
}

static void show_output(unsigned guest, const uint8_t *bytes, size_t count)
{
    observers_output(&session.vms[guest], bytes, count);
}

static void init_console_and_input(const struct options *options)
{
    bool terminal = terminal_is(FILE_STDOUT);

    console_init(&(struct console_config){
        .guests = options->count,
        .color = options->color == COLOR_ALWAYS ||
                 (options->color == COLOR_AUTO && terminal && options->count > 1),
        .terminal = terminal,
        .tap = options->boot_report || options->log != NULL ? show_output : NULL,
        .write = file_write,
        .want_ticks = want_ticks});
    input_init(&(struct input_config){.guests = options->count,
                                      .focus = options->input,
                                      .keys = terminal_is(FILE_STDIN),
                                      .wake = events_wake,
                                      .command = on_command});
}

static int check_display(const struct options *options, struct error *error)
{
    if (options->verbose && terminal_is(FILE_STDERR))
        return error_set(error, "--display text and --verbose would write over each other: "
                                "send standard error to a file");
    return 0;
}

int session_run(const struct options *options)
{
    struct error error;
    int status = STATUS_FAILED;
    bool started;

    session.options = options;
    session.record = (struct record_config){.stats = options->stats,
                                            .boot_report = options->boot_report,
                                            .log = options->log,
                                            .log_size = options->log_size,
                                            .guests = options->count};
    if (options->boot_report)
        boot_report_begin(options->count);
    init_console_and_input(options);
    terminal_init();
    thread_kicks_init();
    if (options->timeout != 0)
        session.deadline = events_now() + options->timeout;
    started = record_open(&session.record, &error) == 0 && add_guests(&error) == 0 &&
              events_init(&error) == 0 &&
              (!options->guests[0].text_screen || check_display(options, &error) == 0) &&
              (!options->guests[0].text_screen || display_start(&session.vms[0], &error) == 0) &&
              start_guests(&error) == 0;
    if (!started)
        display_leave();
    if (started) {
        kernel_cache_start();
        wait_for_guests();
    }
    for (unsigned i = 0; i < session.count; i++)
        vm_join(&session.vms[i]);
    for (unsigned i = 0; i < session.count; i++)
        debug_server_close(&session.servers[i]);
    record_stop();
    if (started)
        status = report();
    else
        console_printf("kvm-vmm: %s", error.text);
    for (unsigned i = 0; i < session.count; i++)
        vm_destroy(&session.vms[i]);
    for (unsigned i = 0; i < session.count; i++)
        guest_symbols_release(&session.symbols[i]);
    record_close();
    kernel_cache_finish();
    return status;
}
