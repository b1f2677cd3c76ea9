/* gdb on the console; see gdb.h. This file has the session: its stops, steps and ends. gdb_answer.c
 * answers requests about a stopped guest; common/gdb has the packets. */
#include "mon/gdb.h"

#include "common/gdb/packet.h"
#include "common/string.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "mon/gdb_answer.h"
#include "vm/life.h"

enum { INTERRUPTED = 2, TRAPPED = 5 }; /* signals */
enum { CTRL_A = 1 };
enum { TURNS_PER_SECOND = 100 }; /* see is_others_turn() */

struct session {
    struct lock lock;   /* guards all of this */
    struct debug debug; /* debug.vm is NULL: no session */
    bool running;       /* its vCPUs may be on harts */
    bool report;        /* the debugger waits for a stop */
    bool prefixed;      /* a Ctrl-a between packets */
    bool leaving;       /* the debugger's '+' for our last answer is still to come */
    uint64_t since;     /* when all vCPUs were resumed; 0 if only some were */
    unsigned stopped;   /* the vCPU that got `signal`, or that got the last one while it is 0 */
    unsigned signal;
    struct trigger hit; /* the watchpoint that it hit; access is 0 if it was something else */
    struct gdb_parser parser;
    struct gdb_writer answer; /* the last one, kept for a retransmission */
};

static struct session session;

static void send(void)
{
    gdb_finish(&session.answer);
    /* If the console has no room, the rest is lost and the debugger asks again. */
    (void)console_write(session.answer.bytes, session.answer.length);
}

/* ---- Running and stopping; session.lock is held ---- */

static void put_stop(void)
{
    uint8_t signal = (uint8_t)session.signal;

    gdb_put_text(&session.answer, "T");
    gdb_put_hex(&session.answer, &signal, 1);
    gdb_put_text(&session.answer, "thread:");
    gdb_put_number(&session.answer, session.stopped + 1);
    gdb_put_text(&session.answer, ";");
    if (debug_watch_name(session.hit.access) != NULL) {
        gdb_put_text(&session.answer, debug_watch_name(session.hit.access));
        gdb_put_number(&session.answer, session.hit.at);
        gdb_put_text(&session.answer, ";");
    }
}

static void go_on(uint32_t which)
{
    session.running = session.report = true;
    session.signal = 0;
    session.hit.access = 0;
    session.since = which == LIFE_ALL ? hyp_time() : 0;
    if (life_resume(session.debug.vm, which))
        return;
    session.running = session.report = false;
    session.signal = TRAPPED;
    gdb_begin(&session.answer);
    put_stop();
    send();
}

static void step_on(void)
{
    int result = debug_insert_steps(&session.debug);

    if (result == 0) {
        go_on(1u << session.debug.thread);
        return;
    }
    debug_clear_points(&session.debug, false);
    gdb_begin(&session.answer);
    gdb_put_result(&session.answer, result);
    send();
}

/* A vCPU in a loop over a breakpoint could stop all vCPUs before any other has run. So the vCPU
 * whose stop was reported last first yields for a moment to others that want to run. */
static bool is_others_turn(const struct vcpu *v)
{
    if (session.signal != 0 || session.stopped != v->id || session.since == 0 ||
        hyp_time() - session.since >= machine.timebase / TURNS_PER_SECOND)
        return false;
    for (unsigned i = 0; i < v->vm->vcpu_count; i++) {
        enum task_state state = sched_state(&v->vm->vcpus[i]->task);

        if (i != v->id && (state == TASK_READY || state == TASK_RUNNING))
            return true;
    }
    return false;
}

bool gdb_breakpoint(struct vcpu *v)
{
    struct trigger hit = {0};
    bool ours, waits;

    lock_take(&session.lock);
    ours = session.debug.vm == v->vm && session.running && debug_is_hit(&session.debug, v, &hit);
    waits = ours && is_others_turn(v);
    if (ours && !waits && session.signal == 0) {
        session.signal = TRAPPED;
        session.stopped = v->id;
        session.hit = hit;
    }
    lock_drop(&session.lock);
    if (waits)
        sched_yield(); /* it will hit its breakpoint again */
    else if (ours)
        (void)life_pause(v->vm); /* fails if another vCPU's breakpoint paused it */
    return ours;
}

void gdb_paused(struct vm *vm)
{
    lock_take(&session.lock);
    if (session.debug.vm == vm && session.running) {
        session.running = false;
        debug_clear_points(&session.debug, false);
        if (session.signal == 0)
            session.signal = INTERRUPTED;
        session.debug.thread = session.stopped;
        if (session.report) {
            gdb_begin(&session.answer);
            put_stop();
            send();
        }
        session.report = false;
    }
    lock_drop(&session.lock);
}

static void leave(void)
{
    struct vm *vm = session.debug.vm;

    debug_clear_points(&session.debug, true);
    debug_clear_triggers(&session.debug);
    vm->debugged = false;
    (void)life_resume(vm, LIFE_ALL);
}

void gdb_ended(struct vm *vm)
{
    lock_take(&session.lock);
    if (session.debug.vm == vm) {
        memset(session.debug.points, 0, sizeof session.debug.points);
        debug_clear_triggers(&session.debug);
        vm->debugged = false;
        session.debug.vm = NULL;
        gdb_begin(&session.answer);
        gdb_put_text(&session.answer, "W00");
        send();
    }
    lock_drop(&session.lock);
}

/* ---- Packets ---- */

/* Steps one thread alone if a step is requested, else resumes the threads that are named: to
 * continue after a watchpoint, gdb steps with breakpoints of its own. */
static void vcont(struct gdb_scan *s)
{
    bool step = false;
    uint32_t which = 0; /* vCPUs */

    if (gdb_scan_word(s, "?")) {
        gdb_put_text(&session.answer, "vCont;c;C;s;S");
        send();
        return;
    }
    while (!step && gdb_scan_word(s, ";")) {
        char action = gdb_scan_left(s) > 0 ? *s->at++ : 'c';
        unsigned vcpu = session.debug.thread;
        uint64_t signal;
        bool all;

        if (action == 'C' || action == 'S') /* a guest has no signals */
            (void)gdb_scan_number(s, &signal);
        all = !gdb_scan_word(s, ":") || gdb_scan_word(s, "-1");
        if (!all && !gdb_answer_thread(&session.debug, s, &vcpu))
            continue; /* no such vCPU */
        step = action == 's' || action == 'S';
        which |= all ? LIFE_ALL : 1u << vcpu;
        if (step)
            session.debug.thread = vcpu;
    }
    if (step) {
        step_on();
    } else if (which != 0) {
        go_on(which);
    } else {
        gdb_put_result(&session.answer, DEBUG_ARGUMENT);
        send();
    }
}

/* False: the session has ended. */
static bool packet(struct gdb_scan *s)
{
    char kind = gdb_scan_left(s) > 0 ? *s->at++ : '\0';

    gdb_begin(&session.answer);
    switch (kind) {
    case '?':
        put_stop();
        break;
    case 'v':
        if (gdb_scan_word(s, "Cont")) {
            vcont(s);
            return true;
        }
        break;
    case 'c':
        go_on(LIFE_ALL);
        return true;
    case 's':
        step_on();
        return true;
    case 'D':
    case 'k':
        gdb_put_result(&session.answer, 0);
        if (kind == 'D')
            send();
        leave();
        session.leaving = kind == 'D';
        return session.leaving;
    default:
        gdb_answer(&session.debug, kind, s, &session.answer);
        break;
    }
    send();
    return true;
}

static bool take(uint8_t byte)
{
    struct gdb_scan scan;

    if (session.leaving) /* the '+' is not for the guest */
        return false;
    /* A debugger never sends Ctrl-a between packets: a person wants the console back. */
    if (session.parser.state == GDB_BETWEEN && session.prefixed && byte == 'm' &&
        !session.running) {
        leave();
        return false;
    }
    session.prefixed = session.parser.state == GDB_BETWEEN && byte == CTRL_A;
    switch (gdb_parse(&session.parser, byte)) {
    case GDB_INPUT_PACKET:
        (void)console_write("+", 1);
        scan =
            (struct gdb_scan){session.parser.bytes, session.parser.bytes + session.parser.length};
        if (session.running) { /* a '?' is answered at the stop; other packets are dropped */
            session.report |= gdb_scan_word(&scan, "?");
            return true;
        }
        return packet(&scan);
    case GDB_INPUT_BROKEN:
        (void)console_write("-", 1);
        return true;
    case GDB_INPUT_REFUSED:
        (void)console_write(session.answer.bytes, session.answer.length);
        return true;
    case GDB_INPUT_INTERRUPT:
        if (session.running)
            (void)life_pause(session.debug.vm);
        return true;
    default:
        return true;
    }
}

bool gdb_input_byte(uint8_t byte)
{
    bool open;

    lock_take(&session.lock);
    open = session.debug.vm != NULL && take(byte);
    if (!open)
        __atomic_store_n(&session.debug.vm, NULL, __ATOMIC_RELEASE);
    lock_drop(&session.lock);
    return open;
}

bool gdb_is_open(void)
{
    return __atomic_load_n(&session.debug.vm, __ATOMIC_ACQUIRE) != NULL;
}

void gdb_open(struct vm *vm)
{
    bool good;

    lock_take(&session.lock);
    lock_take(&vm->lock);
    good = session.debug.vm == NULL && vm_is_up(vm) && vm->clones == 0;
    if (good)
        vm->debugged = true; /* the harts learn it at each vCPU's next load */
    lock_drop(&vm->lock);
    if (good) {
        print("\nhv: gdb has the line now, for %s: detach in gdb, or Ctrl-a m, returns it\n",
              vm->config.name);
        session.debug.vm = vm;
        session.leaving = session.report = false;
        session.running = true;
        session.hit = (struct trigger){0};
        session.signal = session.stopped = session.debug.thread = 0;
        session.parser.state = GDB_BETWEEN;
    } else {
        print("\nhv: %s does not run, or is being cloned: nothing to debug\n", vm->config.name);
    }
    lock_drop(&session.lock);
    if (good && !life_pause(vm))
        vm_rouse(vm); /* it was paused already: the worker reports it */
}
