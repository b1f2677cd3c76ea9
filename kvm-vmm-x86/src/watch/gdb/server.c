/* A debugger's session, driven by the event loop; see server.h. */
#include "watch/gdb/server.h"

#include <errno.h>
#include <string.h>

#include "console/console.h"
#include "host/kvm/kvm.h"
#include "vm/vm.h"

/* The stub gets input only after all its output is sent, so an answer always has room. */
static void send_bytes(void *to, const void *bytes, size_t count)
{
    struct debug_server *server = to;

    if (count > sizeof server->output - server->output_end)
        return;
    memcpy(server->output + server->output_end, bytes, count);
    server->output_end += count;
}

/* May be called on the thread of the last vCPU that stops. */
static void on_stopped(void *to)
{
    struct debug_server *server = to;

    __atomic_store_n(&server->news, true, __ATOMIC_RELEASE);
    events_wake();
}

static void release(struct debug_server *server)
{
    server->leaving = false;
    debug_release(&server->debug, !server->wait || server->stub.resumed);
}

/* Stops a running guest first: a vCPU may be about to report a trap, which must still be inserted
 * then. */
static void hang_up(struct debug_server *server)
{
    enum debug_phase phase = debug_phase_of(&server->debug);

    events_want(&server->client, 0);
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

static bool has_output(const struct debug_server *server)
{
    return server->output_at < server->output_end;
}

/* Sends what the client takes now. False: it is gone. */
static bool flush(struct debug_server *server)
{
    struct stream client = socket_stream(&server->socket);
    int n = 0;

    if (has_output(server))
        n = stream_write(&client, server->output + server->output_at,
                         server->output_end - server->output_at);
    if (n > 0)
        server->output_at += (size_t)n;
    if (!has_output(server))
        server->output_at = server->output_end = 0;
    return n >= 0 || n == -EAGAIN;
}

/* Answers packets as long as the client takes the answers. Further packets stay in the socket, as
 * do all until the guest has stopped. */
static void answer(struct debug_server *server)
{
    while (server->attached) {
        if (!flush(server) || (server->stub.over && !has_output(server))) {
            hang_up(server);
            return;
        }
        if (has_output(server) || server->input_at == server->input_end)
            break;
        server->input_at += gdb_stub_feed(&server->stub, server->input + server->input_at,
                                          server->input_end - server->input_at);
    }
    if (server->attached)
        events_want(&server->client, has_output(server) ? EVENTS_WRITE : EVENTS_READ);
}

static void on_client(void *context)
{
    struct debug_server *server = context;
    struct stream client = socket_stream(&server->socket);
    int n;

    if (!has_output(server) && server->input_at == server->input_end) {
        n = stream_read(&client, server->input, sizeof server->input);
        server->input_at = 0;
        server->input_end = n > 0 ? (size_t)n : 0;
        if (n <= 0 && n != -EAGAIN) {
            hang_up(server);
            return;
        }
    }
    answer(server);
}

static void on_knock(void *context)
{
    struct debug_server *server = context;

    if (!socket_accept(&server->socket))
        return;
    server->client =
        (struct event_source){.fd = server->socket.client, .ready = on_client, .context = server};
    debug_stop(&server->debug);
}

/* The session begins once all vCPUs have stopped. */
static void on_stop(struct debug_server *server)
{
    const struct gdb_stop *stop = &server->debug.stop; /* valid while the guest is stopped */

    if (debug_phase_of(&server->debug) != DEBUG_STOPPED)
        return;
    debug_back(&server->debug);
    if (server->leaving) {
        release(server);
        if (server->socket.client >= 0) /* for the next client, which came meanwhile */
            debug_stop(&server->debug);
        return;
    }
    if (server->socket.client < 0)
        return;
    if (server->attached) {
        gdb_stub_stopped(&server->stub, stop);
    } else {
        server->attached = true;
        server->input_at = server->input_end = server->output_at = server->output_end = 0;
        gdb_stub_begin(&server->stub, stop);
    }
    answer(server);
}

/* Once, before guests run: looking up a host name may take long. */
static int open_socket(struct debug_server *server, const struct vm *vm, const char *where,
                       struct error *error)
{
    struct endpoint address;
    struct kvm kvm;

    if (kvm_open(&kvm, vm->config->kvm, error) < 0)
        return -1;
    server->debug.features = probe_debug(&kvm);
    kvm_close(&kvm);
    if (endpoint_parse(&address, where, vm->index, error) < 0 ||
        socket_open(&server->socket, &address, error) < 0)
        return -1;
    server->listener =
        (struct event_source){.fd = server->socket.listener, .ready = on_knock, .context = server};
    server->open = true;
    vcpu_printf(vm->index, "kvm-vmm: guest %u (%s)%s: target remote %s", vm->index, vm->name,
                server->wait ? " waits for gdb" : "", server->socket.name);
    return 0;
}

int debug_server_open(struct debug_server *server, struct vm *vm, const char *where, bool wait,
                      struct error *error)
{
    if (where == NULL)
        return 0;
    server->wait = wait;
    if (!server->open && open_socket(server, vm, where, error) < 0)
        return -1;
    server->vm = vm;
    server->serving = true;
    server->attached = server->leaving = server->news = false;
    server->stub = (struct gdb_stub){
        .ops = &debug_target_ops, .context = &server->debug, .send = send_bytes, .to = server};
    server->debug.notify = on_stopped;
    server->debug.notify_to = server;
    debug_init(&server->debug, vm, wait);
    events_want(&server->listener, EVENTS_READ);
    return 0;
}

void debug_server_service(struct debug_server *server)
{
    if (!server->serving)
        return;
    if (vm_state(server->vm) == VM_ENDED)
        debug_server_end(server);
    else if (__atomic_exchange_n(&server->news, false, __ATOMIC_ACQUIRE))
        on_stop(server);
}

/* Reports the end of the guest like that of a process. A client that connects from now on waits
 * until the guest restarts. */
void debug_server_end(struct debug_server *server)
{
    struct vm_end end;
    struct gdb_stop stop = {.reason = GDB_ENDED};

    if (!server->serving)
        return;
    if (server->attached) {
        end = vm_end_of(server->vm);
        stop.status = server->status(&end);
        if (end.kind == END_SIGNAL)
            stop = (struct gdb_stop){.reason = GDB_ENDED_KILLED, .status = end.code};
        gdb_stub_stopped(&server->stub, &stop);
        (void)flush(server);
    }
    debug_end(&server->debug);
    events_want(&server->client, 0);
    events_want(&server->listener, 0);
    socket_hang_up(&server->socket);
    server->serving = server->attached = false;
}

void debug_server_close(struct debug_server *server)
{
    debug_server_end(server);
    if (server->open)
        socket_close(&server->socket);
    server->open = false;
}
