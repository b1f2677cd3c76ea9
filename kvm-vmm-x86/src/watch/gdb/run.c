/* Running and stopping, and the vCPUs as threads (GDB manual, E.2 "Packets", E.3 "Stop Reply
 * Packets"). */
#include <errno.h>

#include "watch/gdb/commands.h"

/* Signals by gdb's numbers (GDB manual, "Signals", of the File-I/O and stop replies). */
enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, SIGNAL_SEGV = 11 };

static unsigned signal_of(const struct gdb_stop *stop)
{
    switch (stop->reason) {
    case GDB_STOPPED:
        return SIGNAL_INT;
    case GDB_CRASHED:
        return SIGNAL_SEGV;
    default:
        return SIGNAL_TRAP;
    }
}

static void put_reason(struct gdb_stub *stub, const struct gdb_stop *stop)
{
    struct gdb_writer *w = &stub->reply;

    if (stop->reason == GDB_WATCH) {
        gdb_put_text(w, stop->type == GDB_WATCH_WRITE ? "watch:" : "awatch:");
        gdb_put_number(w, stop->address);
        gdb_put_text(w, ";");
    } else if (stop->reason == GDB_BREAK && stop->type == GDB_SOFTWARE && stub->knows_swbreak) {
        gdb_put_text(w, "swbreak:;");
    } else if (stop->reason == GDB_BREAK && stop->type == GDB_HARDWARE && stub->knows_hwbreak) {
        gdb_put_text(w, "hwbreak:;");
    }
}

void gdb_put_stop(struct gdb_stub *stub)
{
    const struct gdb_stop *stop = &stub->stop;
    struct gdb_writer *w = &stub->reply;
    uint8_t number;

    if (stop->reason == GDB_ENDED || stop->reason == GDB_ENDED_KILLED) {
        number = (uint8_t)stop->status;
        gdb_put_text(w, stop->reason == GDB_ENDED ? "W" : "X");
        gdb_put_hex(w, &number, 1);
        return;
    }
    number = (uint8_t)signal_of(stop);
    gdb_put_text(w, "T");
    gdb_put_hex(w, &number, 1);
    gdb_put_text(w, "thread:");
    gdb_put_number(w, stop->cpu + 1);
    gdb_put_text(w, ";");
    put_reason(stub, stop);
}

void gdb_on_why(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_stop(stub);
}

static void resume(struct gdb_stub *stub, const enum gdb_action *actions)
{
    stub->resumed = true;
    stub->running = true; /* first: the machine may stop before resume returns */
    stub->ops->resume(stub->context, actions);
}

/* The old packets c, s, C and S: one vCPU steps or all run. An address to go on from is set in the
 * program counter first; a signal means nothing to a machine. */
static void go(struct gdb_stub *stub, struct gdb_scan *scan, enum gdb_action action)
{
    enum gdb_action actions[GDB_CPUS_MAX] = {GDB_STAY};
    struct gdb_registers registers;
    uint64_t address;
    int result = 0;

    if (gdb_scan_number(scan, &address)) {
        result = stub->ops->read_registers(stub->context, stub->control, &registers);
        registers.state.regs.rip = address;
        if (result == 0)
            result = stub->ops->write_registers(stub->context, stub->control, &registers);
    }
    if (result < 0) {
        gdb_reply_error(stub, result);
        return;
    }
    for (unsigned i = 0; i < stub->ops->cpus(stub->context); i++)
        actions[i] = action == GDB_RUN || i == stub->control ? action : GDB_STAY;
    resume(stub, actions);
}

static void go_signal(struct gdb_stub *stub, struct gdb_scan *scan, enum gdb_action action)
{
    uint64_t signal;

    if (!gdb_scan_number(scan, &signal)) {
        gdb_reply_error(stub, EINVAL);
        return;
    }
    gdb_scan_word(scan, ";");
    go(stub, scan, action);
}

void gdb_on_continue(struct gdb_stub *stub, struct gdb_scan *scan)
{
    go(stub, scan, GDB_RUN);
}

void gdb_on_step(struct gdb_stub *stub, struct gdb_scan *scan)
{
    go(stub, scan, GDB_STEP);
}

void gdb_on_continue_signal(struct gdb_stub *stub, struct gdb_scan *scan)
{
    go_signal(stub, scan, GDB_RUN);
}

void gdb_on_step_signal(struct gdb_stub *stub, struct gdb_scan *scan)
{
    go_signal(stub, scan, GDB_STEP);
}

/* A thread as packets name it: a number from 1, 0 for any, -1 for all. */
enum { THREAD_ANY = 0, THREAD_ALL = -1 };
static bool scan_thread(struct gdb_stub *stub, struct gdb_scan *scan, int *thread)
{
    uint64_t number;

    if (gdb_scan_word(scan, "-1")) {
        *thread = THREAD_ALL;
        return true;
    }
    if (!gdb_scan_number(scan, &number) || number > stub->ops->cpus(stub->context))
        return false;
    *thread = (int)number;
    return true;
}

/* One part of vCont: the letter, a signal with C and S, and behind a colon the thread it is for. */
static bool scan_action(struct gdb_stub *stub, struct gdb_scan *scan, enum gdb_action *action,
                        int *thread)
{
    uint64_t signal;

    if (gdb_scan_word(scan, "c"))
        *action = GDB_RUN;
    else if (gdb_scan_word(scan, "s"))
        *action = GDB_STEP;
    else if (gdb_scan_word(scan, "C") && gdb_scan_number(scan, &signal))
        *action = GDB_RUN;
    else if (gdb_scan_word(scan, "S") && gdb_scan_number(scan, &signal))
        *action = GDB_STEP;
    else
        return false;
    *thread = THREAD_ALL;
    return !gdb_scan_word(scan, ":") || scan_thread(stub, scan, thread);
}

/* The first action that fits a vCPU is its own; one without any stays stopped. */
static void continue_each(struct gdb_stub *stub, struct gdb_scan *scan)
{
    enum gdb_action actions[GDB_CPUS_MAX] = {GDB_STAY}, action;
    unsigned cpus = stub->ops->cpus(stub->context);
    bool any = false;
    int thread;

    while (gdb_scan_word(scan, ";")) {
        if (!scan_action(stub, scan, &action, &thread)) {
            gdb_reply_error(stub, EINVAL);
            return;
        }
        for (unsigned i = 0; i < cpus; i++) {
            bool meant = thread == THREAD_ALL || thread == (int)i + 1 ||
                         (thread == THREAD_ANY && i == stub->control);

            if (meant && actions[i] == GDB_STAY)
                actions[i] = action;
            any |= actions[i] != GDB_STAY;
        }
    }
    if (any)
        resume(stub, actions);
    else
        gdb_reply_error(stub, EINVAL);
}

void gdb_on_verbose(struct gdb_stub *stub, struct gdb_scan *scan)
{
    if (gdb_scan_word(scan, "Cont?"))
        gdb_put_text(&stub->reply, "vCont;c;C;s;S");
    else if (gdb_scan_word(scan, "Cont"))
        continue_each(stub, scan);
    else if (gdb_scan_word(scan, "Kill"))
        gdb_on_kill(stub, scan);
}

void gdb_on_detach(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    stub->resumed = true;
    stub->ops->detach(stub->context);
    stub->over = true;
    gdb_put_text(&stub->reply, "OK");
}

void gdb_on_kill(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    stub->over = true;
    gdb_put_text(&stub->reply, "OK");
    stub->ops->kill(stub->context);
}

void gdb_on_choose(struct gdb_stub *stub, struct gdb_scan *scan)
{
    bool general = gdb_scan_word(scan, "g");
    int thread;

    if ((!general && !gdb_scan_word(scan, "c")) || !scan_thread(stub, scan, &thread)) {
        gdb_reply_error(stub, EINVAL);
        return;
    }
    if (thread > 0 && general)
        stub->general = (unsigned)thread - 1;
    else if (thread > 0)
        stub->control = (unsigned)thread - 1;
    gdb_put_text(&stub->reply, "OK");
}

void gdb_on_is_alive(struct gdb_stub *stub, struct gdb_scan *scan)
{
    int thread;

    gdb_reply_result(stub, scan_thread(stub, scan, &thread) && thread > 0 ? 0 : -ESRCH);
}
