/* Unit tests of control/server.c with the real event loop and sockets, and test verbs: descriptors
 * belong to the right request, and closing one client's descriptors does not block other clients.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "control/server.h"
#include "host/events.h"
#include "host/socket.h"

#define COUNT "{\"version\":1,\"verb\":\"count\"}\n"

enum { LIMIT = 300 }; /* seconds until a test that hangs is stopped */

static char where[64];
static bool free_to_answer = true;

/* --- the verbs --- */

static enum verb_result count(struct control_request *request, struct json_out *out,
                              struct error *error)
{
    (void)error;
    json_number(out, "count", request->files->count);
    return VERB_DONE;
}

static enum verb_result again(struct control_request *request, struct json_out *out,
                              struct error *error)
{
    return free_to_answer ? count(request, out, error) : VERB_LATER;
}

const struct control_verb control_verbs[] = {
    {.name = "count", .begin = count}, {.name = "later", .begin = again, .again = again}, {0}};

const struct control_verb *control_verb(const char *name)
{
    for (const struct control_verb *v = control_verbs; v->name != NULL; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

void control_verbs_init(const struct control_run *run)
{
    (void)run;
}

int control_choose(struct control_request *request, struct error *error)
{
    (void)request;
    (void)error;
    return 0;
}

bool control_verbs_forget(unsigned guest)
{
    (void)guest;
    return true;
}

/* --- clients --- */

static struct stream connect_client(void)
{
    struct stream client;

    assert_int_equal(socket_connect(&client, where + strlen("unix:")), 0);
    return client;
}

/* The same, without blocking. */
static struct stream connect_now(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    strcpy(address.sun_path, where + strlen("unix:"));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return (struct stream){.fd = fd};
}

static void send_with(const struct stream *client, const char *text, const int *fds,
                      unsigned number)
{
    assert_int_equal(socket_send(client, text, strlen(text), fds, number), strlen(text));
}

/* The next line that the client gets; "": the server has hung up. */
static const char *answer(const struct stream *client)
{
    static char line[256];
    size_t used = 0;
    ssize_t n = -1;

    while (n != 0 && (used == 0 || line[used - 1] != '\n')) {
        n = recv(client->fd, line + used, 1, MSG_DONTWAIT);
        if (n < 0 && errno == ECONNRESET)
            n = 0;
        else if (n < 0)
            events_run(EVENTS_FOREVER);
        else
            used += (size_t)n;
        assert_true(used < sizeof line);
    }
    line[used] = '\0';
    return line;
}

static void assert_answers(const struct stream *client, const char *what)
{
    const char *line = answer(client);

    if (strstr(line, what) == NULL)
        fail_msg("not %s: %s", what, line);
}

static unsigned open_now(void)
{
    unsigned found = 0;

    for (int fd = 0; fd < 1024; fd++)
        found += fcntl(fd, F_GETFD) >= 0;
    return found;
}

/* A socket whose last close blocks on `peer`, which reads nothing. */
static int lingering(int *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char bytes[65536];
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    *peer = accept(listener, NULL, NULL);
    assert_true(*peer >= 0);
    close(listener);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER,
                                &(struct linger){.l_onoff = 1, .l_linger = 10 * LIMIT},
                                sizeof(struct linger)),
                     0);
    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
    return fd;
}

/* --- tests --- */

/* Two lines are sent and read at once; the descriptors come with the second one. */
static void test_a_line_before(void **state)
{
    struct stream client = connect_client();
    int fds[2] = {STDIN_FILENO, STDIN_FILENO};

    (void)state;
    send_with(&client, COUNT, NULL, 0);
    send_with(&client, COUNT, fds, 2);
    send_with(&client, COUNT, NULL, 0);
    assert_answers(&client, "\"count\":");
    assert_answers(&client, "\"count\":2");
    assert_answers(&client, "\"count\":0");
    stream_close(&client);
}

static void test_half_a_line(void **state)
{
    struct stream client = connect_client();
    int fd = STDIN_FILENO;

    (void)state;
    send_with(&client, "{\"version\":1,", &fd, 1);
    events_run(EVENTS_FOREVER); /* the connection */
    events_run(EVENTS_FOREVER);
    send_with(&client, "\"verb\":\"count\"}\n", &fd, 1);
    assert_answers(&client, "\"count\":2");
    send_with(&client, COUNT, NULL, 0);
    assert_answers(&client, "\"count\":0");
    stream_close(&client);
}

static void test_too_many(void **state)
{
    unsigned before = open_now();
    struct stream client = connect_client();
    int fds[SOCKET_FDS_MAX] = {0};

    (void)state;
    send_with(&client, COUNT, fds, FOLDER_FILES_MAX);
    assert_answers(&client, "\"count\":32");
    send_with(&client, COUNT COUNT, fds, SOCKET_FDS_MAX);
    assert_answers(&client, "more than 32 descriptors");
    assert_string_equal(answer(&client), "");
    stream_close(&client);
    while (open_now() > before)
        events_run(1000000);
}

/* Each client leaves a descriptor that takes long to close: with half a line, with a whole one,
 * with one that is answered later, with too many descriptors, and behind unread data. Other clients
 * are answered, and in the end everything is closed. */
static void test_no_client_waits(void **state)
{
    static const struct {
        const char *text;
        unsigned count;
        const char *answer;
    } sent[] = {{"{\"version\":1", 1, NULL},
                {COUNT, 1, "\"count\":1"},
                {"{\"version\":1,\"verb\":\"later\"}\n", 1, NULL},
                {COUNT, 33, "more than 32"},
                {COUNT, 253, "more than 32"}};
    static char endless[CONTROL_REQUEST_MAX + 100];
    enum { SENT = sizeof sent / sizeof sent[0] };
    unsigned before = open_now();
    struct stream clients[SENT + 1], other;
    int peers[SENT + 1], fds[SOCKET_FDS_MAX] = {0};

    (void)state;
    memset(endless, 'x', sizeof endless - 1);
    free_to_answer = false;
    for (unsigned i = 0; i <= SENT; i++) {
        unsigned number = i < SENT ? sent[i].count : 1;

        clients[i] = connect_client();
        fds[number - 1] = lingering(&peers[i]);
        if (i == SENT)
            send_with(&clients[i], endless, NULL, 0);
        send_with(&clients[i], i < SENT ? sent[i].text : COUNT, fds, number);
        close(fds[number - 1]);
        fds[number - 1] = STDIN_FILENO;
        if (i < SENT && sent[i].answer != NULL)
            assert_answers(&clients[i], sent[i].answer);
        other = connect_client();
        send_with(&other, COUNT, NULL, 0);
        assert_answers(&other, "\"count\":0");
        stream_close(&other);
    }
    assert_answers(&clients[SENT], "too long");
    free_to_answer = true;
    control_service();
    assert_answers(&clients[2], "\"count\":1");
    for (unsigned i = 0; i <= SENT; i++)
        stream_close(&clients[i]);
    other = connect_client();
    send_with(&other, COUNT, NULL, 0);
    assert_answers(&other, "\"count\":0");
    stream_close(&other);
    for (unsigned i = 0; i <= SENT; i++)
        close(peers[i]);
    while (open_now() > before)
        events_run(1000000);
}

/* A client that is turned away may have sent descriptors, too. */
static void test_turned_away(void **state)
{
    unsigned before = open_now();
    struct stream clients[CONTROL_CLIENTS_MAX], more[2];
    int peer, fd = lingering(&peer);

    (void)state;
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        clients[i] = connect_client();
        send_with(&clients[i], COUNT, NULL, 0);
        assert_answers(&clients[i], "\"count\":0");
    }
    more[0] = connect_client();
    send_with(&more[0], COUNT, &fd, 1);
    close(fd);
    assert_answers(&more[0], "has 8 clients already");
    more[1] = connect_client();
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        send_with(&clients[i], COUNT, NULL, 0);
        assert_answers(&clients[i], "\"count\":0");
    }
    stream_close(&clients[0]); /* a free place, although the other is still being closed */
    send_with(&more[1], COUNT, NULL, 0);
    assert_answers(&more[1], "\"count\":0");
    close(peer);
    assert_string_equal(answer(&more[0]), "");
    for (unsigned i = 0; i < 2; i++)
        stream_close(&more[i]);
    for (unsigned i = 1; i < CONTROL_CLIENTS_MAX; i++)
        stream_close(&clients[i]);
    while (open_now() > before)
        events_run(1000000);
}

/* Many clients connect while the loop does not run, and none gets EAGAIN. As many as there are
 * places for get an answer, and the others get the reason, with their requests unread. */
static void test_many_at_once(void **state)
{
    enum { MANY = 100 };
    unsigned before = open_now(), served = 0, refused = 0;
    struct stream clients[MANY];

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        clients[i] = connect_now();
        send_with(&clients[i], COUNT, NULL, 0);
    }
    for (unsigned i = 0; i < MANY; i++) {
        const char *line = answer(&clients[i]);

        served += strstr(line, "\"count\":0") != NULL;
        refused += strstr(line, "has 8 clients already") != NULL;
    }
    assert_int_equal(served, CONTROL_CLIENTS_MAX);
    assert_int_equal(refused, MANY - CONTROL_CLIENTS_MAX);
    for (unsigned i = 0; i < MANY; i++)
        stream_close(&clients[i]);
    while (open_now() > before)
        events_run(1000000);
}

static int begin(void **state)
{
    struct error error;

    (void)state;
    alarm(LIMIT);
    snprintf(where, sizeof where, "unix:/tmp/test_server.%d", (int)getpid());
    return control_open(where, &(struct control_run){.count = 1}, &error);
}

static int end(void **state)
{
    (void)state;
    alarm(0);
    return control_close() && access(where + strlen("unix:"), F_OK) < 0 ? 0 : -1;
}

static int make_loop(void **state)
{
    struct error error;

    (void)state;
    return events_init(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_line_before, begin, end),
        cmocka_unit_test_setup_teardown(test_half_a_line, begin, end),
        cmocka_unit_test_setup_teardown(test_too_many, begin, end),
        cmocka_unit_test_setup_teardown(test_no_client_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_turned_away, begin, end),
        cmocka_unit_test_setup_teardown(test_many_at_once, begin, end),
    };

    return cmocka_run_group_tests_name("control server", tests, make_loop, NULL);
}
