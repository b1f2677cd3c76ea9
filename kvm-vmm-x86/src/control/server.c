/* The control socket; see server.h. */
#include "control/server.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/endpoint.h"
#include "common/near.h"
#include "host/events.h"
#include "host/files/runtime.h"
#include "host/socket.h"
#include "host/workers.h"

struct client {
    struct stream stream; /* fd -1: no client */
    struct event_source source;
    const struct control_verb *verb; /* not answered yet; NULL: none */
    struct control_request request;  /* of `verb` */
    struct folder_files files;       /* received, for the next request */
    bool leaving;                    /* no more input is read */
    bool gone;                       /* hung up: its descriptors are being closed */
    char input[CONTROL_REQUEST_MAX + 1];
    size_t input_used;
    char output[CONTROL_ANSWER_MAX];
    size_t output_at, output_end;
    struct worker_job closing;
    bool closes; /* a thread closes the descriptors below; meanwhile nothing is read */
    int closed[FOLDER_FILES_MAX + SOCKET_FDS_MAX + 1];
    unsigned closed_count;
};

/* The last entry is for a client that is turned away. */
enum { TURNED_AWAY = CONTROL_CLIENTS_MAX, CLIENTS };

static struct {
    bool open;
    struct control_run run;
    struct socket_server socket;
    struct event_source listener;
    struct client clients[CLIENTS];
    struct workers *closers; /* one thread for each client: none waits for another's closing */
    struct event_source has_closed;
} server;

int control_endpoint(struct endpoint *endpoint, const char *where, bool make, struct error *error)
{
    if (strncmp(where, "unix:", 5) == 0)
        return endpoint_unix(endpoint, "--control", where + 5, 0, error);
    *endpoint = (struct endpoint){.option = "--control", .is_unix = true};
    return runtime_path(endpoint->path, where, make, error);
}

/* --- closing --- */

static struct client *client_of(struct worker_job *closing)
{
    return (struct client *)((char *)closing - offsetof(struct client, closing));
}

/* The last close of a file may block, on a peer (SO_LINGER) or a server (FUSE, NFS), and the client
 * chooses the file: so a thread closes it. A socket also holds files that were sent but not
 * received. */
static void close_all(struct worker_job *closing)
{
    const struct client *c = client_of(closing);

    for (unsigned i = 0; i < c->closed_count; i++)
        stream_close(&(struct stream){.fd = c->closed[i]});
}

static void close_elsewhere(struct client *c)
{
    if (c->closes)
        return;
    for (unsigned i = 0; i < c->files.count; i++)
        c->closed[c->closed_count++] = c->files.fds[i];
    c->files.count = 0;
    if (c->gone && c->stream.fd >= 0) {
        c->closed[c->closed_count++] = c->stream.fd;
        c->stream.fd = -1;
    }
    c->closes = c->closed_count > 0;
    if (c->closes)
        workers_submit(server.closers, &c->closing);
}

/* `drained`: nothing is left in its socket. */
static void hang_up(struct client *c, bool drained)
{
    events_want(&c->source, 0);
    if (drained)
        stream_close(&c->stream);
    c->verb = NULL;
    c->gone = true;
    close_elsewhere(c);
    if (!c->closes) /* there is room for a client again */
        events_want(&server.listener, EVENTS_READ);
}

/* --- answers --- */

static void finish_answer(struct client *c, const struct json_out *out)
{
    c->output[out->used] = '\n';
    c->output_at = 0;
    c->output_end = out->used + 1;
}

static struct json_out begin_answer(struct client *c, bool good)
{
    struct json_out out =
        json_out(c->output, sizeof c->output - 2); /* room for the bracket and newline */

    json_open(&out, NULL, '{');
    json_number(&out, "version", CONTROL_VERSION);
    json_bool(&out, "ok", good);
    return out;
}

static void refuse(struct client *c, const char *why)
{
    struct json_out out = begin_answer(c, false);

    json_string(&out, "error", why);
    json_close(&out, '}');
    finish_answer(c, &out);
}

static void take_step(struct client *c, const struct control_verb *verb, bool again)
{
    struct json_out out = begin_answer(c, true);
    struct error error = {.text = "the answer is too long"};
    enum verb_result result =
        again ? verb->again(&c->request, &out, &error) : verb->begin(&c->request, &out, &error);

    c->verb = result == VERB_LATER ? verb : NULL;
    if (result == VERB_LATER)
        return;
    json_close(&out, '}');
    if (result == VERB_FAILED || out.full)
        refuse(c, error.text);
    else
        finish_answer(c, &out);
}

static void refuse_verb(struct client *c, const char *name)
{
    struct near near;
    struct error error;

    near_begin(&near, name, strlen(name));
    for (const struct control_verb *v = control_verbs; v->name != NULL; v++)
        near_try(&near, v->name);
    error_set(&error, "unknown verb \"%.40s\"%s%s%s; \"list\" names all", name,
              near.best != NULL ? " (did you mean \"" : "", near.best != NULL ? near.best : "",
              near.best != NULL ? "\"?)" : "");
    refuse(c, error.text);
}

static void handle(struct client *c, char *line, size_t length)
{
    static struct json json;
    struct error error;
    const char *name;
    uint64_t version;
    const struct control_verb *verb;

    c->request = (struct control_request){.json = &json, .files = &c->files};
    if (json_parse(&json, line, length, &error) < 0) {
        refuse(c, error.text);
        return;
    }
    if (!json_get_number(&json, json.values, "version", &version) || version != CONTROL_VERSION) {
        refuse(c, "the request has no \"version\":1, the only one that this VMM speaks");
        return;
    }
    if (!json_get_string(&json, json.values, "verb", &name)) {
        refuse(c, "the request has no \"verb\"");
        return;
    }
    verb = control_verb(name);
    if (verb == NULL) {
        refuse_verb(c, name);
        return;
    }
    if (control_choose(&c->request, &error) < 0)
        refuse(c, error.text);
    else
        take_step(c, verb, false);
}

/* --- clients --- */

/* Takes a line out of the input; false: there is no whole line yet. A line that is too long gets
 * one answer, and then the client is disconnected. */
static bool take_line(struct client *c)
{
    char line[CONTROL_REQUEST_MAX + 1];
    const char *end = memchr(c->input, '\n', c->input_used);
    size_t length = end != NULL ? (size_t)(end - c->input) : 0;

    if (end == NULL && c->input_used == CONTROL_REQUEST_MAX) {
        refuse(c, "the request is too long");
        c->leaving = true;
        return true;
    }
    if (end == NULL)
        return false;
    memcpy(line, c->input, length);
    line[length] = '\0';
    c->input_used -= length + 1;
    memmove(c->input, c->input + length + 1, c->input_used);
    handle(c, line, length);
    return true;
}

static bool has_output(const struct client *c)
{
    return c->output_at < c->output_end;
}

/* Serves the client as far as possible without blocking. Requests that come while an answer is
 * pending stay in the socket or the buffer. */
static void serve(struct client *c)
{
    int n;

    do {
        n = 0;
        if (has_output(c))
            n = stream_write(&c->stream, c->output + c->output_at, c->output_end - c->output_at);
        if (n > 0)
            c->output_at += (size_t)n;
        if ((n < 0 && n != -EAGAIN) || (c->leaving && !has_output(c))) {
            hang_up(c, false);
            return;
        }
    } while (n > 0 || (!has_output(c) && c->verb == NULL && take_line(c)));
    /* Otherwise the descriptors may belong to a line that is not complete yet: after a read it is
     * not known which line they came with. */
    if (c->verb == NULL && c->input_used == 0)
        close_elsewhere(c);
    events_want(&c->source, has_output(c)                  ? EVENTS_WRITE
                            : c->verb != NULL || c->closes ? 0
                                                           : EVENTS_READ);
}

static void take_descriptors(struct client *c, const int *fds, unsigned count)
{
    struct error error;

    for (unsigned i = 0; i < count; i++)
        if (c->files.count < FOLDER_FILES_MAX)
            c->files.fds[c->files.count++] = fds[i];
        else
            c->closed[c->closed_count++] = fds[i];
    if (c->closed_count == 0)
        return;
    error_set(&error, "more than %d descriptors came with the request", FOLDER_FILES_MAX);
    refuse(c, error.text);
    c->leaving = true;
}

static void on_client(void *context)
{
    struct client *c = context;
    int n, fds[SOCKET_FDS_MAX];
    unsigned count;

    if (!has_output(c) && c->verb == NULL && !c->closes) {
        n = socket_receive(&c->stream, c->input + c->input_used,
                           CONTROL_REQUEST_MAX - c->input_used, fds, &count);
        if (n <= 0 && n != -EAGAIN) {
            hang_up(c, n == 0);
            return;
        }
        c->input_used += n > 0 ? (size_t)n : 0;
        if (n > 0)
            take_descriptors(c, fds, count);
    }
    serve(c);
}

static void on_closed(void *context)
{
    struct worker_job *closing;
    uint64_t ignored;

    (void)context;
    (void)stream_read(&(struct stream){.fd = workers_fd(server.closers)}, &ignored, sizeof ignored);
    while ((closing = workers_take(server.closers)) != NULL) {
        struct client *c = client_of(closing);

        c->closes = false;
        c->closed_count = 0;
        if (c->gone)
            close_elsewhere(c); /* what the client still had when the server hung up */
        else
            serve(c);
    }
    events_want(&server.listener, EVENTS_READ);
}

static void on_knock(void *context)
{
    struct client *c = server.clients;
    struct error error;

    (void)context;
    while (c < &server.clients[TURNED_AWAY] && (c->stream.fd >= 0 || c->closes))
        c++;
    if (c->stream.fd >= 0 || c->closes) { /* the last one turned away is not closed yet, either */
        events_want(&server.listener, 0);
        return;
    }
    if (!socket_accept(&server.socket))
        return;
    c->stream = socket_hand_over(&server.socket);
    c->verb = NULL;
    c->leaving = c->gone = false;
    c->input_used = c->output_at = c->output_end = 0;
    c->source = (struct event_source){.fd = c->stream.fd, .ready = on_client, .context = c};
    if (!socket_is_ours(&c->stream)) {
        hang_up(c, false);
    } else if (c == &server.clients[TURNED_AWAY]) {
        error_set(&error, "the machine has %d clients already", CONTROL_CLIENTS_MAX);
        refuse(c, error.text);
        c->leaving = true;
        serve(c);
    } else {
        events_want(&c->source, EVENTS_READ);
    }
}

/* Resets all clients: none is connected, and none has anything left to close. */
static void forget_clients(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *c = &server.clients[i];

        c->stream.fd = -1;
        c->files.count = c->closed_count = 0;
        c->closing.carry_out = close_all;
        c->closes = false;
    }
}

int control_open(const char *where, const struct control_run *run, struct error *error)
{
    struct endpoint endpoint;

    if (where == NULL)
        return 0;
    forget_clients();
    if (control_endpoint(&endpoint, where, true, error) < 0)
        return -1;
    endpoint.takes_files = true; /* for snapshots */
    endpoint.is_private = true;
    if (socket_open(&server.socket, &endpoint, error) < 0)
        return -1;
    server.closers = workers_open("control", CLIENTS, NULL, error);
    if (server.closers == NULL) {
        socket_close(&server.socket);
        return -1;
    }
    server.open = true;
    control_verbs_init(run);
    server.run = *run;
    server.listener = (struct event_source){.fd = server.socket.listener, .ready = on_knock};
    events_want(&server.listener, EVENTS_READ);
    server.has_closed = (struct event_source){.fd = workers_fd(server.closers), .ready = on_closed};
    events_want(&server.has_closed, EVENTS_READ);
    return 0;
}

void control_service(void)
{
    for (unsigned i = 0; server.open && i < CONTROL_CLIENTS_MAX; i++) {
        struct client *c = &server.clients[i];

        if (c->stream.fd < 0 || c->verb == NULL)
            continue;
        take_step(c, c->verb, true);
        if (c->verb == NULL)
            serve(c);
    }
}

bool control_forget(unsigned guest)
{
    bool free = !server.open || control_verbs_forget(guest);

    control_service();
    return free;
}

void control_leave(void)
{
    server.open = false;
    for (unsigned i = 0; i < CLIENTS; i++)
        folder_close_files(&server.clients[i].files);
    forget_clients();
}

bool control_close(void)
{
    bool free = true, patient = true;

    if (!server.open)
        return true;
    for (unsigned i = 0; i < server.run.count; i++) {
        while (!(free = control_verbs_forget(i)) && patient)
            patient = events_run_patiently(EVENTS_FOREVER);
        if (!free)
            break;
    }
    if (free)
        control_service();
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (server.clients[i].stream.fd >= 0)
            hang_up(&server.clients[i], false);
    events_want(&server.listener, 0);
    events_want(&server.has_closed, 0);
    while (workers_take(server.closers) != NULL)
        ;
    (void)!workers_close(server.closers); /* a thread that still closes ends with the program */
    /* A connection in the listener's queue may hold files: the program's end closes it, and does
     * not linger. */
    server.socket.listener = -1;
    socket_close(&server.socket);
    server.open = false;
    return free;
}
