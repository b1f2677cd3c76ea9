/* The session, the table of packets, and the packets that resume or stop the machine (GDB manual,
 * E.2 "Packets", E.3 "Stop Reply Packets"); see stub.h. */
#include "watch/gdb/stub.h"

#include <errno.h>
#include <string.h>

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
    if (stop->reason == GDB_BEGIN)
        gdb_put_text(w, "replaylog:begin;");
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

static int on_why(struct gdb_stub *stub)
{
    put_stop(stub);
    return GDB_ANSWERED;
}

/* The answer comes when the machine has stopped, which may be before resume returns. */
static int resume(struct gdb_stub *stub, const enum gdb_action *actions)
{
    stub->resumed = stub->running = true;
    stub->ops->resume(stub->context, actions);
    return GDB_ANSWERED;
}

/* c, s, or C and S with a signal, which has no meaning for a machine. */
static bool scan_action(struct gdb_scan *scan, enum gdb_action *action)
{
    uint64_t signal;

    *action = GDB_RUN;
    if (gdb_scan_word(scan, "c") || (gdb_scan_word(scan, "C") && gdb_scan_number(scan, &signal)))
        return true;
    *action = GDB_STEP;
    return gdb_scan_word(scan, "s") || (gdb_scan_word(scan, "S") && gdb_scan_number(scan, &signal));
}

/* The old packets c, s, C and S: one vCPU steps or all run. If there is an address, it is written
 * to the program counter first. */
static int on_go(struct gdb_stub *stub)
{
    enum gdb_action actions[GDB_CPUS_MAX] = {GDB_STAY}, action;
    struct gdb_registers registers;
    uint64_t address;
    int result = 0;

    stub->scan.at--; /* back to the letter */
    if (!scan_action(&stub->scan, &action))
        return -EINVAL;
    gdb_scan_word(&stub->scan, ";");
    if (gdb_scan_number(&stub->scan, &address)) {
        result = stub->ops->read_registers(stub->context, stub->control, &registers);
        registers.state.regs.rip = address;
        if (result == 0)
            result = stub->ops->write_registers(stub->context, stub->control, &registers);
    }
    for (unsigned i = 0; i < stub->ops->cpus(stub->context); i++)
        actions[i] = action == GDB_RUN || i == stub->control ? action : GDB_STAY;
    return result < 0 ? result : resume(stub, actions);
}

/* A thread in packets: a number from 1, 0 for any, -1 for all. */
enum { THREAD_ANY = 0, THREAD_ALL = -1 };
static bool scan_thread(struct gdb_stub *stub, int *thread)
{
    uint64_t number;

    *thread = THREAD_ALL;
    if (gdb_scan_word(&stub->scan, "-1"))
        return true;
    if (!gdb_scan_number(&stub->scan, &number) || number > stub->ops->cpus(stub->context))
        return false;
    *thread = (int)number;
    return true;
}

/* vCont: actions, each with the thread that it is for behind a colon. The first action that matches
 * a vCPU applies; a vCPU without one stays stopped. */
static int continue_each(struct gdb_stub *stub)
{
    enum gdb_action actions[GDB_CPUS_MAX] = {GDB_STAY}, action;
    unsigned cpus = stub->ops->cpus(stub->context);
    bool any = false;

    while (gdb_scan_word(&stub->scan, ";")) {
        int thread = THREAD_ALL;

        if (!scan_action(&stub->scan, &action) ||
            (gdb_scan_word(&stub->scan, ":") && !scan_thread(stub, &thread)))
            return -EINVAL;
        for (unsigned i = 0; i < cpus; i++) {
            bool meant = thread == THREAD_ALL || thread == (int)i + 1 ||
                         (thread == THREAD_ANY && i == stub->control);

            if (meant && actions[i] == GDB_STAY)
                actions[i] = action;
            any |= actions[i] != GDB_STAY;
        }
    }
    return any ? resume(stub, actions) : -EINVAL;
}

/* bs and bc: the machine goes back in time (E.2). */
static int on_back(struct gdb_stub *stub)
{
    bool step = gdb_scan_word(&stub->scan, "s");
    const char *why = "this guest cannot run backwards";

    if (!step && !gdb_scan_word(&stub->scan, "c"))
        return GDB_ANSWERED;
    stub->resumed = stub->running = true;
    if (stub->ops->go_back != NULL)
        why = stub->ops->go_back(stub->context, step ? TRAVEL_STEP : TRAVEL_CONTINUE, NULL);
    if (why == NULL)
        return GDB_ANSWERED;
    stub->running = false;
    gdb_put_text(&stub->reply, "E.");
    gdb_put_text(&stub->reply, why);
    return GDB_ANSWERED;
}

static int on_kill(struct gdb_stub *stub)
{
    stub->over = true;
    stub->ops->kill(stub->context);
    return 0;
}

static int on_verbose(struct gdb_stub *stub)
{
    if (gdb_scan_word(&stub->scan, "Cont?"))
        gdb_put_text(&stub->reply, "vCont;c;C;s;S");
    else if (gdb_scan_word(&stub->scan, "Cont"))
        return continue_each(stub);
    else if (gdb_scan_word(&stub->scan, "Kill"))
        return on_kill(stub);
    return GDB_ANSWERED;
}

static int on_detach(struct gdb_stub *stub)
{
    stub->resumed = stub->over = true;
    stub->ops->detach(stub->context);
    return 0;
}

static int on_choose(struct gdb_stub *stub)
{
    bool general = gdb_scan_word(&stub->scan, "g");
    int thread;

    if ((!general && !gdb_scan_word(&stub->scan, "c")) || !scan_thread(stub, &thread))
        return -EINVAL;
    if (thread > 0)
        *(general ? &stub->general : &stub->control) = (unsigned)thread - 1;
    return 0;
}

static int on_is_alive(struct gdb_stub *stub)
{
    int thread;

    return scan_thread(stub, &thread) && thread > 0 ? 0 : -ESRCH;
}

static int on_set(struct gdb_stub *stub)
{
    if (!gdb_scan_word(&stub->scan, "StartNoAckMode"))
        return GDB_ANSWERED;
    stub->next_no_ack = true; /* from the next packet on */
    return 0;
}

/* Indexed by the first letter. Other packets get the empty answer, which means "not supported". */
static int (*const commands[128])(struct gdb_stub *) = {
    ['?'] = on_why,
    ['C'] = on_go,
    ['D'] = on_detach,
    ['G'] = gdb_on_write_all,
    ['H'] = on_choose,
    ['M'] = gdb_on_write_hex,
    ['P'] = gdb_on_write_one,
    ['Q'] = on_set,
    ['S'] = on_go,
    ['T'] = on_is_alive,
    ['X'] = gdb_on_write_binary,
    ['Z'] = gdb_on_insert,
    ['b'] = on_back,
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

/* gdb shows this text to the user as it is. */
static void say(struct gdb_stub *stub, const char *text)
{
    gdb_begin(&stub->reply);
    gdb_put_text(&stub->reply, "O");
    gdb_put_hex(&stub->reply, text, strlen(text));
    send_reply(stub);
}

static void send_byte(struct gdb_stub *stub, char byte)
{
    if (!stub->no_ack)
        stub->send(stub->to, &byte, 1);
}

/* Every packet is answered at once, except those that resume the machine: they are answered when it
 * has stopped. */
static void on_packet(struct gdb_stub *stub)
{
    uint8_t letter = (uint8_t)stub->parser.bytes[0];
    int result = GDB_ANSWERED;

    send_byte(stub, '+');
    if (stub->running)
        return; /* until the answer the debugger may only send Ctrl-C */
    gdb_begin(&stub->reply);
    stub->scan =
        (struct gdb_scan){stub->parser.bytes + 1, stub->parser.bytes + stub->parser.length};
    if (stub->parser.length > 0 && letter < 128 && commands[letter] != NULL)
        result = commands[letter](stub);
    if (result <= 0)
        gdb_put_result(&stub->reply, result);
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

/* The current mode of the first vCPU determines the set of registers. */
void gdb_stub_begin(struct gdb_stub *stub, const struct gdb_stop *stop)
{
    struct gdb_registers registers;

    stub->parser = (struct gdb_parser){0};
    stub->reply.length = 0;
    stub->no_ack = stub->next_no_ack = false;
    stub->running = stub->over = stub->asked = false;
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
        return; /* gdb will ask for the stop */
    stub->running = false;
    if (stop->text != NULL)
        say(stub, stop->text);
    gdb_begin(&stub->reply);
    if (stub->asked) {
        stub->asked = false;
        gdb_put_result(&stub->reply, 0);
    } else {
        stub->general = stub->control = stop->cpu;
        put_stop(stub);
    }
    send_reply(stub);
    stub->over = stop->reason == GDB_ENDED || stop->reason == GDB_ENDED_KILLED;
}
