/*
 * The server's thread; see server.h. It waits for a debugger, its bytes, or a stop of the guest,
 * and is the only one that uses the stub.
 *
 * A debugger that connects stops the guest. One that goes away without a word leaves it running on,
 * unless the guest was started with -S and has never been allowed to run.
 */
#include "watch/gdb/server.h"

#include <string.h>

#include "console/console.h"
#include "host/kvm.h"
#include "vm/vm.h"
#include "watch/gdb/vm_target.h"

/* The stub is fed only while all that it said has gone: an answer always finds room. */
static void send_bytes(void *to, const void *bytes, size_t count)
{
    struct debug_server *server = to;

    if (count > sizeof server->output - server->output_end)
        return;
    memcpy(server->output + server->output_end, bytes, count);
    server->output_end += count;
}

static void wake(void *to)
{
    struct debug_server *server = to;

    socket_wake(&server->socket);
}

int debug_server_open(struct debug_server *server, struct vm *vm, const struct options *options,
                      struct error *error)
{
    struct endpoint address;
    struct kvm kvm;

    server->vm = vm;
    server->wait = options->wait;
    if (options->gdb == NULL)
        return 0;
    if (kvm_open(&kvm, vm->config->kvm, error) < 0)
        return -1;
    server->debug.features = probe_debug(&kvm);
    kvm_close(&kvm);
    if (endpoint_parse(&address, options->gdb, vm->index, error) < 0 ||
        socket_open(&server->socket, &address, error) < 0)
        return -1;
    server->open = true;
    server->attached = server->leaving = false;
    server->stub = (struct gdb_stub){
        .ops = &debug_target_ops, .context = &server->debug, .send = send_bytes, .to = server};
    server->debug.notify = wake;
    server->debug.notify_to = server;
    debug_init(&server->debug, vm, options->wait);
    vcpu_printf(vm->index, "kvm-vmm: guest %u (%s)%s: target remote %s", vm->index, vm->name,
                options->wait ? " waits for gdb" : "", server->socket.name);
    return 0;
}

static void release(struct debug_server *server)
{
    server->leaving = false;
    debug_release(&server->debug, !server->wait || server->stub.resumed);
}

/* A guest that runs is stopped first: a vCPU may be about to report an instruction that was
 * planted, and would find that nobody has planted any. */
static void hang_up(struct debug_server *server)
{
    enum debug_phase phase = debug_phase_of(&server->debug);

    socket_hang_up(&server->socket);
    if (!server->attached)
        return;
    server->attached = false;
    if (phase == DEBUG_STOPPED || phase == DEBUG_FREE) {
        release(server);
        return;
    }
    server->leaving = true;
    debug_stop(&server->debug);
}

/* The session begins once all vCPUs have stopped: until then what the debugger says stays in the
 * socket. */
static void on_stop(struct debug_server *server)
{
    const struct gdb_stop *stop = &server->debug.stop; /* stays while it is stopped */

    if (debug_phase_of(&server->debug) != DEBUG_STOPPED)
        return;
    if (server->leaving) {
        release(server);
        if (server->socket.client >= 0) /* of the next one, who came meanwhile */
            debug_stop(&server->debug);
        return;
    }
    if (server->socket.client < 0)
        return;
    if (server->attached) {
        gdb_stub_stopped(&server->stub, stop);
        return;
    }
    server->attached = true;
    server->input_at = server->input_end = server->output_at = server->output_end = 0;
    gdb_stub_begin(&server->stub, stop);
}

static void on_knock(struct debug_server *server)
{
    bool first = server->socket.client < 0;

    socket_accept(&server->socket);
    if (first && server->socket.client >= 0)
        debug_stop(&server->debug);
}

static bool has_output(const struct debug_server *server)
{
    return server->output_at < server->output_end;
}

/* Sends what the client takes now. False: it is gone. */
static bool flush(struct debug_server *server)
{
    int n = 0;

    if (has_output(server))
        n = socket_write(&server->socket, server->output + server->output_at,
                         server->output_end - server->output_at);
    if (n > 0)
        server->output_at += (size_t)n;
    if (!has_output(server))
        server->output_at = server->output_end = 0;
    return n >= 0;
}

/* Packet by packet, as long as the client takes the answers. What it asks beyond that stays in its
 * socket. */
static void answer(struct debug_server *server)
{
    while (server->attached) {
        if (!flush(server)) {
            hang_up(server);
            return;
        }
        if (has_output(server))
            return;
        if (server->stub.over)
            hang_up(server);
        if (server->input_at == server->input_end)
            return;
        server->input_at += gdb_stub_feed(&server->stub, server->input + server->input_at,
                                          server->input_end - server->input_at);
    }
}

static void on_input(struct debug_server *server)
{
    int n;

    if (server->input_at < server->input_end)
        return;
    n = socket_read(&server->socket, server->input, sizeof server->input);
    server->input_at = 0;
    server->input_end = n > 0 ? (size_t)n : 0;
    if (n == 0)
        hang_up(server);
}

static unsigned wanted(const struct debug_server *server)
{
    if (!server->attached)
        return 0;
    return has_output(server) ? SOCKET_ROOM : SOCKET_INPUT;
}

/* The guest is over: how, in the form of a process's end. */
static void tell_end(struct debug_server *server)
{
    struct vm_end end = vm_end_of(server->vm);
    int status = server->status(&end);
    struct gdb_stop stop = {.reason = GDB_ENDED, .status = status};

    if (end.kind == END_SIGNAL)
        stop = (struct gdb_stop){.reason = GDB_ENDED_KILLED, .status = end.code};
    if (server->attached) {
        gdb_stub_stopped(&server->stub, &stop);
        (void)flush(server);
    }
    server->attached = false;
    socket_hang_up(&server->socket);
}

static void *serve(void *argument)
{
    struct debug_server *server = argument;

    thread_name("guest%u/gdb", server->vm->index);
    while (vm_is_running(server->vm)) {
        unsigned happened = socket_wait(&server->socket, wanted(server));

        if (happened & SOCKET_WOKEN)
            on_stop(server);
        if (happened & SOCKET_KNOCK)
            on_knock(server);
        if (happened & SOCKET_INPUT)
            on_input(server);
        answer(server);
    }
    tell_end(server);
    return NULL;
}

int debug_server_start(struct debug_server *server, struct error *error)
{
    if (!server->open)
        return 0;
    if (thread_start(&server->thread, serve, server, error) < 0)
        return -1;
    server->started = true;
    return 0;
}

void debug_server_close(struct debug_server *server)
{
    if (server->started) {
        socket_wake(&server->socket);
        thread_join(&server->thread);
    }
    if (server->open)
        socket_close(&server->socket);
    server->open = server->started = false;
}
