/* The session, the table of packets, and those that let the machine run or stop it (GDB manual, E.2
 * "Packets", E.3 "Stop Reply Packets"); see stub.h. */
#include "watch/gdb/stub.h"

#include <errno.h>

#include "watch/gdb/commands.h"

/* Signals by gdb's numbers (GDB manual, "Signals", of the File-I/O and stop replies). */
enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, SIGNAL_SEGV = 11 };

static void put_stop(struct gdb_stub *stub)
{
    const struct gdb_stop *stop = &stub->stop;
    struct gdb_writer *w = &stub->reply;
    bool ended = stop->reason == GDB_ENDED || stop->reason == GDB_ENDED_KILLED;
    uint8_t number = stop->reason == GDB_STOPPED   ? SIGNAL_INT
                     : stop->reason == GDB_CRASHED ? SIGNAL_SEGV
                     : ended                       ? (uint8_t)stop->status
                                                   : SIGNAL_TRAP;

    gdb_put_text(w, stop->reason == GDB_ENDED ? "W" : ended ? "X" : "T");
    gdb_put_hex(w, &number, sizeof number);
    if (ended)
        return;
    gdb_put_text(w, "thread:");
    gdb_put_number(w, stop->cpu + 1);
    gdb_put_text(w, ";");
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

static void on_why(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    put_stop(stub);
}

static void resume(struct gdb_stub *stub, const enum gdb_action *actions)
{
    stub->resumed = true;
    stub->running = true; /* first: the machine may stop before resume returns */
    stub->ops->resume(stub->context, actions);
}

/* c, s, or C and S with a signal, which means nothing to a machine. */
static bool scan_action(struct gdb_scan *scan, enum gdb_action *action)
{
    uint64_t signal;

    *action = GDB_RUN;
    if (gdb_scan_word(scan, "c") || (gdb_scan_word(scan, "C") && gdb_scan_number(scan, &signal)))
        return true;
    *action = GDB_STEP;
    return gdb_scan_word(scan, "s") || (gdb_scan_word(scan, "S") && gdb_scan_number(scan, &signal));
}

/* The old packets c, s, C and S: one vCPU steps or all run. An address to go on from is set in the
 * program counter first. */
static void on_go(struct gdb_stub *stub, struct gdb_scan *scan)
{
    enum gdb_action actions[GDB_CPUS_MAX] = {GDB_STAY}, action;
    struct gdb_registers registers;
    uint64_t address;
    int result = 0;

    scan->at--; /* back to the letter */
    if (!scan_action(scan, &action)) {
        gdb_put_result(&stub->reply, -EINVAL);
        return;
    }
    gdb_scan_word(scan, ";");
    if (gdb_scan_number(scan, &address)) {
        result = stub->ops->read_registers(stub->context, stub->control, &registers);
        registers.state.regs.rip = address;
        if (result == 0)
            result = stub->ops->write_registers(stub->context, stub->control, &registers);
    }
    if (result < 0) {
        gdb_put_result(&stub->reply, result);
        return;
    }
    for (unsigned i = 0; i < stub->ops->cpus(stub->context); i++)
        actions[i] = action == GDB_RUN || i == stub->control ? action : GDB_STAY;
    resume(stub, actions);
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

/* vCont: actions, each with the thread that it is for behind a colon. The first action that fits a
 * vCPU is its own; one without any stays stopped. */
static void continue_each(struct gdb_stub *stub, struct gdb_scan *scan)
{
    enum gdb_action actions[GDB_CPUS_MAX] = {GDB_STAY}, action;
    unsigned cpus = stub->ops->cpus(stub->context);
    bool any = false;

    while (gdb_scan_word(scan, ";")) {
        int thread = THREAD_ALL;

        if (!scan_action(scan, &action) ||
            (gdb_scan_word(scan, ":") && !scan_thread(stub, scan, &thread))) {
            any = false;
            break;
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
        gdb_put_result(&stub->reply, -EINVAL);
}

static void on_kill(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    stub->over = true;
    gdb_put_text(&stub->reply, "OK");
    stub->ops->kill(stub->context);
}

static void on_verbose(struct gdb_stub *stub, struct gdb_scan *scan)
{
    if (gdb_scan_word(scan, "Cont?"))
        gdb_put_text(&stub->reply, "vCont;c;C;s;S");
    else if (gdb_scan_word(scan, "Cont"))
        continue_each(stub, scan);
    else if (gdb_scan_word(scan, "Kill"))
        on_kill(stub, scan);
}

static void on_detach(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    stub->resumed = true;
    stub->ops->detach(stub->context);
    stub->over = true;
    gdb_put_text(&stub->reply, "OK");
}

static void on_choose(struct gdb_stub *stub, struct gdb_scan *scan)
{
    bool general = gdb_scan_word(scan, "g");
    int thread;

    if ((!general && !gdb_scan_word(scan, "c")) || !scan_thread(stub, scan, &thread)) {
        gdb_put_result(&stub->reply, -EINVAL);
        return;
    }
    if (thread > 0 && general)
        stub->general = (unsigned)thread - 1;
    else if (thread > 0)
        stub->control = (unsigned)thread - 1;
    gdb_put_text(&stub->reply, "OK");
}

static void on_is_alive(struct gdb_stub *stub, struct gdb_scan *scan)
{
    int thread;

    gdb_put_result(&stub->reply, scan_thread(stub, scan, &thread) && thread > 0 ? 0 : -ESRCH);
}

/* By the first letter; what is not here gets the empty answer, which means "not supported". */
static void (*const commands[128])(struct gdb_stub *, struct gdb_scan *) = {
    ['?'] = on_why,
    ['C'] = on_go,
    ['D'] = on_detach,
    ['G'] = gdb_on_write_all,
    ['H'] = on_choose,
    ['M'] = gdb_on_write_hex,
    ['P'] = gdb_on_write_one,
    ['Q'] = gdb_on_set,
    ['S'] = on_go,
    ['T'] = on_is_alive,
    ['X'] = gdb_on_write_binary,
    ['Z'] = gdb_on_insert,
    ['c'] = on_go,
    ['g'] = gdb_on_read_all,
    ['k'] = on_kill,
    ['m'] = gdb_on_read_memory,
    ['p'] = gdb_on_read_one,
    ['q'] = gdb_on_query,
    ['s'] = on_go,
    ['v'] = on_verbose,
    ['z'] = gdb_on_remove,
};

static void send_reply(struct gdb_stub *stub)
{
    gdb_finish(&stub->reply);
    stub->send(stub->to, stub->reply.bytes, stub->reply.length);
}

static void send_byte(struct gdb_stub *stub, char byte)
{
    if (!stub->no_ack)
        stub->send(stub->to, &byte, 1);
}

/* Every packet is answered at once, but for those that let the machine run: they are answered when
 * it has stopped. */
static void on_packet(struct gdb_stub *stub)
{
    struct gdb_scan scan = {stub->parser.bytes, stub->parser.bytes + stub->parser.length};
    uint8_t letter = (uint8_t)stub->parser.bytes[0];

    send_byte(stub, '+');
    if (stub->running)
        return; /* the debugger has nothing to say but Ctrl-C until we answer */
    gdb_begin(&stub->reply);
    if (stub->parser.length > 0 && letter < 128 && commands[letter] != NULL) {
        scan.at++;
        commands[letter](stub, &scan);
    }
    if (!stub->running)
        send_reply(stub);
    stub->no_ack = stub->next_no_ack;
}

size_t gdb_stub_feed(struct gdb_stub *stub, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && !stub->over; i++) {
        switch (gdb_parse(&stub->parser, bytes[i])) {
        case GDB_INPUT_PACKET:
            on_packet(stub);
            return i + 1;
        case GDB_INPUT_BROKEN:
            send_byte(stub, '-');
            return i + 1;
        case GDB_INPUT_REFUSED:
            if (!stub->no_ack && !stub->running && stub->reply.length > 0)
                stub->send(stub->to, stub->reply.bytes, stub->reply.length);
            return i + 1;
        case GDB_INPUT_INTERRUPT:
            if (stub->running)
                stub->ops->interrupt(stub->context);
            break;
        case GDB_INPUT_NOTHING:
            break;
        }
    }
    return count;
}

/* Which registers there are is decided by the mode the first vCPU is in now. */
void gdb_stub_begin(struct gdb_stub *stub, const struct gdb_stop *stop)
{
    struct gdb_registers registers;

    stub->parser = (struct gdb_parser){0};
    stub->reply.length = 0;
    stub->no_ack = stub->next_no_ack = false;
    stub->running = stub->over = false;
    stub->knows_swbreak = stub->knows_hwbreak = false;
    stub->stop = *stop;
    stub->general = stub->control = stop->cpu;
    if (stub->fixed)
        stub->arch = stub->next_arch;
    else if (stub->ops->read_registers(stub->context, 0, &registers) == 0)
        stub->arch = gdb_arch_of(&registers.state);
}

void gdb_stub_stopped(struct gdb_stub *stub, const struct gdb_stop *stop)
{
    stub->stop = *stop;
    if (!stub->running)
        return; /* gdb asks when it wants to know */
    stub->running = false;
    stub->general = stub->control = stop->cpu;
    gdb_begin(&stub->reply);
    put_stop(stub);
    send_reply(stub);
    stub->over = stop->reason == GDB_ENDED || stop->reason == GDB_ENDED_KILLED;
}
