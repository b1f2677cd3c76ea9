/* The session and the table of packets; see stub.h. */
#include "watch/gdb/stub.h"

#include "watch/gdb/commands.h"

/* By the first letter; what is not here gets the empty answer, which means "not supported". */
static void (*const commands[128])(struct gdb_stub *, struct gdb_scan *) = {
    ['?'] = gdb_on_why,          ['D'] = gdb_on_detach,
    ['G'] = gdb_on_write_all,    ['H'] = gdb_on_choose,
    ['M'] = gdb_on_write_hex,    ['P'] = gdb_on_write_one,
    ['Q'] = gdb_on_set,          ['T'] = gdb_on_is_alive,
    ['X'] = gdb_on_write_binary, ['Z'] = gdb_on_insert,
    ['c'] = gdb_on_continue,     ['g'] = gdb_on_read_all,
    ['k'] = gdb_on_kill,         ['m'] = gdb_on_read_memory,
    ['p'] = gdb_on_read_one,     ['q'] = gdb_on_query,
    ['s'] = gdb_on_step,         ['v'] = gdb_on_verbose,
    ['z'] = gdb_on_remove,       ['C'] = gdb_on_continue_signal,
    ['S'] = gdb_on_step_signal,
};

void gdb_reply_error(struct gdb_stub *stub, int error)
{
    uint8_t number = (uint8_t)(error < 0 ? -error : error);

    gdb_put_text(&stub->reply, "E");
    gdb_put_hex(&stub->reply, &number, 1);
}

void gdb_reply_result(struct gdb_stub *stub, int result)
{
    if (result < 0)
        gdb_reply_error(stub, result);
    else
        gdb_put_text(&stub->reply, "OK");
}

void gdb_send(struct gdb_stub *stub)
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
        gdb_send(stub);
    stub->no_ack = stub->next_no_ack;
}

void gdb_stub_feed(struct gdb_stub *stub, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && !stub->over; i++) {
        switch (gdb_parse(&stub->parser, bytes[i])) {
        case GDB_INPUT_PACKET:
            on_packet(stub);
            break;
        case GDB_INPUT_BROKEN:
            send_byte(stub, '-');
            break;
        case GDB_INPUT_REFUSED:
            if (!stub->no_ack && !stub->running && stub->reply.length > 0)
                stub->send(stub->to, stub->reply.bytes, stub->reply.length);
            break;
        case GDB_INPUT_INTERRUPT:
            if (stub->running)
                stub->ops->interrupt(stub->context);
            break;
        case GDB_INPUT_NOTHING:
            break;
        }
    }
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
    gdb_put_stop(stub);
    gdb_send(stub);
    stub->over = stop->reason == GDB_ENDED || stop->reason == GDB_ENDED_KILLED;
}
