/* Unit tests of lines and streams, over real pipes and sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/wire/stream.h"

static struct wire near_end, far_end;
static struct sink sink;

static int connect_ends(void **state)
{
    int fds[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return -1;
    wire_init(&near_end, fds[0]);
    wire_init(&far_end, fds[1]);
    return 0;
}

static int close_ends(void **state)
{
    (void)state;
    close(near_end.fd);
    close(far_end.fd);
    return 0;
}

struct seen {
    unsigned data, ends, closes, windows;
    uint32_t granted;
    size_t bytes;
};

static int count(void *context, uint8_t kind, const uint8_t *payload, size_t length)
{
    struct seen *seen = context;
    struct message_window window;

    seen->ends += kind == MESSAGE_END;
    seen->closes += kind == MESSAGE_CLOSE;
    if (kind == MESSAGE_DATA) {
        seen->data++;
        seen->bytes += length - 1;
    }
    if (kind == MESSAGE_WINDOW) {
        memcpy(&window, payload, sizeof(window));
        seen->windows++;
        seen->granted += window.bytes;
    }
    return 0;
}

static bool arriving(void)
{
    struct pollfd ready = {.fd = far_end.fd, .events = POLLIN};

    return poll(&ready, 1, 0) == 1;
}

static struct seen exchange(void)
{
    struct seen seen = {0};

    while (wire_pending(&near_end) || arriving()) {
        assert_int_equal(wire_flush(&near_end), 0);
        assert_int_equal(wire_receive(&far_end, count, &seen), 0);
    }
    return seen;
}

static void test_source_stops_without_credit(void **state)
{
    struct source source;
    struct seen seen;
    size_t sent = 0;
    int fd = open("/dev/zero", O_RDONLY);

    (void)state;
    stream_source_open(&source, STREAM_STDOUT, fd);
    while (stream_source_poll(&source, &near_end).fd >= 0) {
        assert_int_equal(stream_source_pump(&source, &near_end), 0);
        seen = exchange();
        sent += seen.bytes;
    }
    assert_int_equal(sent, MESSAGE_WINDOW_SIZE);
    stream_source_grant(&source, 10);
    assert_int_equal(stream_source_poll(&source, &near_end).fd, fd);
    assert_int_equal(stream_source_pump(&source, &near_end), 0);
    assert_int_equal(exchange().bytes, 10);
    stream_source_grant(&source, UINT32_MAX); /* a false grant gives at most a window */
    assert_int_equal(source.credit, MESSAGE_WINDOW_SIZE);
    stream_source_close(&source);
}

static void test_source_tells_its_end(void **state)
{
    struct source source;

    (void)state;
    stream_source_open(&source, STREAM_STDIN, open("/dev/null", O_RDONLY));
    assert_int_equal(stream_source_pump(&source, &near_end), 0);
    assert_int_equal(source.fd, -1);
    assert_int_equal(exchange().ends, 1);
}

static void test_sink_writes_and_grants(void **state)
{
    static uint8_t bytes[MESSAGE_WINDOW_SIZE];
    struct seen seen;

    (void)state;
    stream_sink_open(&sink, STREAM_STDOUT, open("/dev/null", O_WRONLY));
    assert_int_equal(stream_sink_take(&sink, bytes, sizeof(bytes)), 0);
    assert_int_equal(stream_sink_take(&sink, bytes, 1), -EPROTO);
    assert_int_equal(stream_sink_pump(&sink, &near_end), 0);
    seen = exchange();
    assert_int_equal(seen.granted, sizeof(bytes));
    assert_true(stream_sink_idle(&sink));
    stream_sink_end(&sink);
    assert_int_equal(stream_sink_pump(&sink, &near_end), 0);
    assert_int_equal(sink.fd, -1);
    assert_int_equal(exchange().closes, 0);
}

static void test_sink_keeps_order_around_the_ring(void **state)
{
    uint8_t in[3000], out[3000];
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    stream_sink_open(&sink, STREAM_STDOUT, fds[1]);
    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(in); i++)
            in[i] = (uint8_t)(i * 7 + round);
        assert_int_equal(stream_sink_take(&sink, in, sizeof(in)), 0);
        assert_int_equal(stream_sink_pump(&sink, &near_end), 0);
        assert_int_equal(read(fds[0], out, sizeof(out)), sizeof(out));
        assert_memory_equal(in, out, sizeof(in));
        exchange();
    }
    stream_sink_close(&sink);
    close(fds[0]);
}

static void test_sink_tells_that_its_reader_left(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    stream_sink_open(&sink, STREAM_STDOUT, fds[1]);
    assert_int_equal(stream_sink_pump(&sink, &near_end), 0);
    assert_int_equal(sink.fd, -1);
    assert_int_equal(stream_sink_pump(&sink, &near_end), 0);
    assert_int_equal(exchange().closes, 1);
}

/* Its POLLHUP is handled once; keys are still written to it. */
static void test_sink_of_a_terminal_that_no_program_has(void **state)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    struct pollfd ready;
    int program;

    (void)state;
    assert_int_equal(unlockpt(terminal), 0);
    program = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(program >= 0);
    stream_sink_open(&sink, STREAM_STDIN, terminal);
    ready = stream_sink_poll(&sink);
    assert_int_equal(poll(&ready, 1, 0), 0);
    close(program);
    ready = stream_sink_poll(&sink);
    assert_int_equal(poll(&ready, 1, 0), 1);
    assert_int_equal(stream_sink_pump(&sink, &near_end), 0);
    ready = stream_sink_poll(&sink);
    assert_int_equal(poll(&ready, 1, 0), 0);
    assert_int_equal(stream_sink_take(&sink, (const uint8_t *)"key", 3), 0);
    ready = stream_sink_poll(&sink);
    assert_int_equal(poll(&ready, 1, 0), 1);
    assert_int_equal(stream_sink_pump(&sink, &near_end), 0);
    assert_true(stream_sink_idle(&sink));
    stream_sink_close(&sink);
}

static void test_full_line_keeps_room_for_small_messages(void **state)
{
    static const uint8_t bytes[MESSAGE_DATA_MAX];
    uint8_t stream = STREAM_STDOUT;

    (void)state;
    while (wire_has_room(&near_end))
        assert_int_equal(wire_send(&near_end, MESSAGE_DATA, &stream, 1, bytes, sizeof(bytes)), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(wire_send(&near_end, MESSAGE_END, &stream, 1, NULL, 0), 0);
    assert_int_equal(exchange().ends, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_source_stops_without_credit, connect_ends, close_ends),
        cmocka_unit_test_setup_teardown(test_source_tells_its_end, connect_ends, close_ends),
        cmocka_unit_test_setup_teardown(test_sink_writes_and_grants, connect_ends, close_ends),
        cmocka_unit_test_setup_teardown(test_sink_keeps_order_around_the_ring, connect_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(test_sink_tells_that_its_reader_left, connect_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(test_sink_of_a_terminal_that_no_program_has, connect_ends,
                                        close_ends),
        cmocka_unit_test_setup_teardown(test_full_line_keeps_room_for_small_messages, connect_ends,
                                        close_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
