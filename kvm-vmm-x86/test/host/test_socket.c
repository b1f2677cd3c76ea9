/* Unit tests of host/socket.c: a client that cannot be served is turned away, and the listener is
 * not ready afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/socket.h"

static struct socket_server server;
static struct endpoint address;

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(to.sun_path, path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static bool knocks(void)
{
    struct pollfd listener = {.fd = server.listener, .events = POLLIN};

    return poll(&listener, 1, 0) == 1;
}

static bool is_closed(int fd)
{
    char byte;

    return read(fd, &byte, 1) == 0;
}

static int make(void **state)
{
    char path[64];
    struct error error;

    (void)state;
    snprintf(path, sizeof path, "/tmp/test_socket.%d", (int)getpid());
    assert_int_equal(endpoint_unix(&address, "--serial", path, 0, &error), 0);
    return socket_open(&server, &address, &error);
}

static int end(void **state)
{
    (void)state;
    socket_close(&server);
    return access(address.path, F_OK) == 0; /* its file has gone, too */
}

static void test_one_client(void **state)
{
    int first = connect_to(address.path), second;
    struct stream client;

    (void)state;
    assert_true(socket_accept(&server));
    second = connect_to(address.path);
    assert_false(socket_accept(&server));
    assert_true(is_closed(second));
    client = socket_stream(&server);
    assert_int_equal(stream_write(&client, "x", 1), 1);
    close(first);
    close(second);
}

/* No descriptor is left: before, accept4 failed again and again, and the loop was busy. */
static void test_no_descriptor_left(void **state)
{
    int taken[1024], count = 0, client = connect_to(address.path);
    struct rlimit limit, before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (count < 1024 && (taken[count] = open("/dev/null", O_RDONLY)) >= 0)
        count++;
    assert_int_not_equal(count, 1024);
    for (int i = 0; i < 2; i++) {
        assert_true(knocks());
        assert_false(socket_accept(&server));
        assert_false(knocks());
        assert_true(is_closed(client));
        close(client);
        client = i == 0 ? connect_to(address.path) : -1; /* in place of the previous one */
    }
    for (int i = 0; i < count; i++)
        close(taken[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    client = connect_to(address.path);
    assert_true(socket_accept(&server));
    close(client);
}

static int count_open(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Descriptors come with the bytes that they were sent with, and with those before: as many as a
 * message can have, so that the kernel never closes one because of too little room. */
static void test_descriptors(void **state)
{
    int ends[2], sent[SOCKET_FDS_MAX], got[SOCKET_FDS_MAX], before = count_open();
    struct stream from, to;
    unsigned count = 0;
    char bytes[8];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    from = (struct stream){.fd = ends[0]};
    to = (struct stream){.fd = ends[1], .kind = STREAM_SOCKET};
    for (unsigned i = 0; i < SOCKET_FDS_MAX; i++)
        sent[i] = ends[0];
    assert_int_equal(socket_receive(&to, bytes, sizeof bytes, got, &count), -EAGAIN);
    assert_int_equal(socket_send(&from, "one", 3, sent, 20), 3);
    assert_int_equal(socket_send(&from, "two", 3, sent, 0), 3);
    assert_int_equal(socket_send(&from, "more", 4, sent, SOCKET_FDS_MAX), 4);
    assert_int_equal(socket_send(&from, "too many", 8, sent, SOCKET_FDS_MAX + 1), -EINVAL);
    assert_int_equal(socket_receive(&to, bytes, sizeof bytes, got, &count), 3);
    assert_int_equal(count, 20);
    for (unsigned i = 0; i < count; i++)
        close(got[i]);
    assert_int_equal(socket_receive(&to, bytes, sizeof bytes, got, &count), 7); /* "twomore" */
    assert_int_equal(count, SOCKET_FDS_MAX);
    assert_int_equal(count_open(), before + 2 + SOCKET_FDS_MAX);
    for (unsigned i = 0; i < count; i++)
        close(got[i]);
    close(ends[0]);
    assert_int_equal(socket_receive(&to, bytes, sizeof bytes, got, &count), 0);
    close(ends[1]);
    assert_int_equal(count_open(), before);
}

/* Whether this kernel can refuse them at all. */
static bool can_refuse(void)
{
    int ends[2], value;
    socklen_t size = sizeof value;
    bool can;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    can = getsockopt(ends[0], SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &value, &size) == 0;
    close(ends[0]);
    close(ends[1]);
    return can;
}

/* A client's descriptors do not reach the reading thread unless the server asks for them; bytes do.
 */
static void test_files_are_refused(void **state)
{
    if (!can_refuse())
        skip();
    for (int takes = 0; takes < 2; takes++) {
        struct stream from = {.fd = -1}, to;
        struct error error;
        char bytes[8];

        socket_close(&server);
        address.takes_files = takes == 1;
        assert_int_equal(socket_open(&server, &address, &error), 0);
        from.fd = connect_to(address.path);
        assert_int_equal(socket_send(&from, "queued", 6, &from.fd, 1), takes ? 6 : -EPERM);
        assert_true(socket_accept(&server));
        assert_int_equal(socket_send(&from, "files", 5, &from.fd, 1), takes ? 5 : -EPERM);
        to = socket_stream(&server);
        assert_int_equal(socket_send(&from, "x", 1, NULL, 0), 1);
        assert_int_equal(stream_read(&to, bytes, 1), 1);
        assert_int_equal(bytes[0], takes ? 'q' : 'x');
        close(from.fd);
    }
    (void)state;
}

static atomic_bool looked_enough;

/* Counts how often the socket file has another mode than 0600. */
static void *look_at_modes(void *counted)
{
    struct stat status;
    unsigned *wrong = counted;

    while (!looked_enough)
        *wrong += stat(address.path, &status) == 0 && (status.st_mode & 0777) != 0600;
    return NULL;
}

/* The file is private from its first moment, with another program watching, and with any umask. */
static void test_private(void **state)
{
    mode_t before = umask(0);
    unsigned wrong = 0;
    pthread_t looker;

    (void)state;
    socket_close(&server);
    address.is_private = true;
    assert_int_equal(pthread_create(&looker, NULL, look_at_modes, &wrong), 0);
    for (int i = 0; i < 2000; i++) {
        struct error error;

        assert_int_equal(socket_open(&server, &address, &error), 0);
        if (i < 1999)
            socket_close(&server);
    }
    looked_enough = true;
    pthread_join(looker, NULL);
    umask(before);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_client, make, end),
        cmocka_unit_test_setup_teardown(test_no_descriptor_left, make, end),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test_setup_teardown(test_files_are_refused, make, end),
        cmocka_unit_test_setup_teardown(test_private, make, end),
    };

    return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
