/* Unit tests of console/ports.c and outlet.c, with the real event loop, sockets and files: output
 * kept for a late client, who waits for whom, and input. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "console/outlet.c" /* no unit test links them */
#include "console/ports.c"

enum { KEPT = CHANNEL_KEPT, INPUT_MAX = CHANNEL_SIZE };
#define MS UINT64_C(1000000)

static unsigned calls;
static char folder[32], path[64];
static const struct guest_config config_of_socket = {.serial = SERIAL_UNIX, .serial_path = path},
                                 config_of_file = {.serial = SERIAL_FILE, .serial_path = path};

bool streams_service(void)
{
    return false;
}

void terminal_size(unsigned *rows, unsigned *columns)
{
    *rows = *columns = 0;
}

static void on_wake(void)
{
}

static void on_room(unsigned guest)
{
    calls += guest == 0;
}

static void no_console(unsigned guest)
{
    (void)guest;
}

static int begin(void **state)
{
    static bool made;
    struct error error;

    (void)state;
    if (!made)
        assert_int_equal(events_init(&error), 0);
    made = true;
    console_init(
        &(struct console_config){.guests = 1, .cpus = 1, .wake = on_wake, .room = on_room});
    calls = 0;
    strcpy(folder, "/tmp/test_ports.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/port", folder);
    memset(&ports, 0, sizeof ports);
    ports_init(on_room);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ports_finish(no_console);
    unlink(path);
    return rmdir(folder);
}

static void open_port(const struct guest_config *config)
{
    struct channels *none;
    struct error error;

    assert_int_equal(ports_make(0, config, &none, &error), 0);
    assert_null(none);
    assert_int_equal(ports_open(0, config, &error), 0);
}

static int connect_client(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    strcpy(to.sun_path, path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void go_round(void)
{
    ports_service();
    events_run(MS);
}

/* The byte at place i of all that the guest prints. */
static uint8_t byte_at(unsigned i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void print(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        ports_putchar(0, byte_at(i));
}

/* Reads until byte `to` has come, and checks that all from `from` on came in order. */
static void expect(int client, unsigned from, unsigned to)
{
    uint8_t bytes[4096];
    ssize_t n;

    while (from < to) {
        go_round();
        n = read(client, bytes, sizeof bytes < to - from ? sizeof bytes : to - from);
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] != byte_at(from++))
                fail_msg("byte %u is another", from - 1);
    }
}

/* The newest 64 KiB, then whatever follows. The guest does not wait without a client. */
static void test_a_late_client(void **state)
{
    int client;

    (void)state;
    open_port(&config_of_socket);
    print(0, 200000);
    assert_false(console_is_full(0));
    client = connect_client();
    expect(client, 200000 - KEPT, 200000);
    print(200000, 210000);
    expect(client, 200000, 210000);
    close(client);
}

/* A client that does not read stops the guest, until half is drained or it leaves. */
static void test_a_client_that_does_not_read(void **state)
{
    int client;
    unsigned printed = 0, before;

    (void)state;
    open_port(&config_of_socket);
    client = connect_client();
    go_round();
    for (; !console_is_full(0); printed += 4096) {
        print(printed, printed + 4096);
        go_round();
    }
    before = calls;
    expect(client, 0, printed - CHANNEL_SIZE / 4);
    assert_false(console_is_full(0));
    assert_int_equal(calls, before + 1);
    for (; !console_is_full(0); printed += 4096) {
        print(printed, printed + 4096);
        go_round();
    }
    close(client);
    for (unsigned i = 0; console_is_full(0) && i < 1000; i++)
        go_round();
    assert_false(console_is_full(0));
    assert_true(calls > before + 1);
}

/* Only as much is read as the guest's queue holds; the rest comes when the guest has read some. */
static void test_input(void **state)
{
    static uint8_t bytes[3 * INPUT_MAX];
    int client;

    (void)state;
    open_port(&config_of_socket);
    assert_int_equal(ports_take(0), INPUT_NONE);
    client = connect_client();
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = byte_at(i);
    assert_int_equal(write(client, bytes, sizeof bytes), sizeof bytes);
    while (ports_pending(0) < INPUT_MAX)
        go_round();
    go_round();
    assert_int_equal(ports_pending(0), INPUT_MAX);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        while (ports_pending(0) == 0)
            go_round();
        assert_int_equal(ports_take(0), byte_at(i));
    }
    assert_true(calls > 0);
    close(client);
}

/* The next client gets what the one before did not take. */
static void test_one_after_the_other(void **state)
{
    int first, second;
    char byte;

    (void)state;
    open_port(&config_of_socket);
    first = connect_client();
    go_round();
    second = connect_client();
    go_round();
    assert_int_equal(read(second, &byte, 1), 0); /* turned away */
    close(second);
    print(0, 10);
    expect(first, 0, 10);
    close(first);
    for (unsigned i = 0; ports.at[0][SERIAL].outlet.takes && i < 1000; i++)
        go_round();
    print(10, 5000);
    second = connect_client();
    expect(second, 10, 5000);
    close(second);
}

static void test_a_file(void **state)
{
    uint8_t bytes[6000];
    int file;

    (void)state;
    open_port(&config_of_file);
    print(0, sizeof bytes);
    ports_finish(no_console);
    assert_int_equal(ports_failure(0), 0);
    file = open(path, O_RDONLY);
    assert_int_equal(read(file, bytes, sizeof bytes), sizeof bytes);
    for (unsigned i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], byte_at(i));
    assert_int_equal(read(file, bytes, 1), 0);
    close(file);
}

static off_t size_of_file(void)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

/* A guest restored from a snapshot appends to its output file; a new guest, or a copy of a running
 * one, starts with an empty file. */
static void test_a_file_that_is_there(void **state)
{
    struct saved_guest snapshot = {.folder = "/saved"}, copy = {.folder = NULL};
    struct guest_config config = config_of_file;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        open_port(&config);
        print(0, 1000);
        ports_finish(no_console);
        ports_leave();
        assert_int_equal(size_of_file(), 1000);
    }
    config.saved = &snapshot;
    open_port(&config);
    print(0, 1000);
    ports_finish(no_console);
    ports_leave();
    assert_int_equal(size_of_file(), 2000);
    config.saved = &copy;
    open_port(&config);
    assert_int_equal(size_of_file(), 0);
}

static void test_a_full_disk(void **state)
{
    static const struct guest_config full = {.serial = SERIAL_FILE, .serial_path = "/dev/full"};

    (void)state;
    open_port(&full);
    print(0, 6000);
    for (unsigned i = 0; ports_failure(0) == 0 && i < 1000; i++)
        go_round();
    assert_int_equal(ports_failure(0), -ENOSPC);
    print(0, 200000);
    assert_false(console_is_full(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_late_client, begin, end),
        cmocka_unit_test_setup_teardown(test_a_client_that_does_not_read, begin, end),
        cmocka_unit_test_setup_teardown(test_input, begin, end),
        cmocka_unit_test_setup_teardown(test_one_after_the_other, begin, end),
        cmocka_unit_test_setup_teardown(test_a_file, begin, end),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_there, begin, end),
        cmocka_unit_test_setup_teardown(test_a_full_disk, begin, end),
    };

    return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
