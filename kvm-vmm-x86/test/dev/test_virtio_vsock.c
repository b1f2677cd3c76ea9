/* Unit tests of dev/virtio/vsock.c: connections both ways, credit, ends, and hostile packets. A
 * saved state: test_vsock_saved.c. */
#include "vsock_guest.h"

static void from_the_guest(void **state)
{
    struct fake_stream *s;
    struct virtio_vsock_header h;

    (void)state;
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_VSOCK);
    assert_int_equal(driver_get(&driver, VIRTIO_MMIO_CONFIG), CID);
    s = guest_connects();
    for (unsigned i = 0; i < 600; i++)
        driver.ram[DRIVER_BUFFER + DATA + i] = (uint8_t)(i * 3);
    send_data(600);
    assert_int_equal(s->taken, 600);
    assert_memory_equal(host.last, driver.ram + DRIVER_BUFFER + DATA, 600);
    nothing();
    s->waiting = 5000;
    host.news = true;
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_RW && h.size == ROOM - HEADER && h.forwarded == 600);
    assert_int_equal(driver.ram[DRIVER_BUFFER + IN + HEADER + 300], 300 & 0xff);
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_RW && h.size == 5000 - (ROOM - HEADER));
    nothing();
    say(VIRTIO_VSOCK_RST);
    assert_false(s->open);
    nothing();
}

static void refused(void **state)
{
    (void)state;
    host.refuses = -ECONNREFUSED;
    say(VIRTIO_VSOCK_REQUEST);
    expect(VIRTIO_VSOCK_RST);
    nothing();
}

static void from_the_host(void **state)
{
    struct fake_stream *s = fake_vsock_client(&host, "CONNECT 77\nhello");
    struct virtio_vsock_header h = next(), answer = packet(VIRTIO_VSOCK_RESPONSE);

    (void)state;
    assert_true(h.op == VIRTIO_VSOCK_REQUEST && h.target_port == 77);
    nothing(); /* what follows the line waits for the answer */
    answer.target_port = h.source_port;
    send_packet(answer, 0);
    assert_true(host.last_size == 14 && memcmp(host.last, "OK 1073741825\n", 14) == 0);
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_RW && h.size == 5);
    assert_memory_equal(driver.ram + DRIVER_BUFFER + IN + HEADER, "hello", 5);
    s->ends = true;
    host.news = true;
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_SHUTDOWN && h.flags == VIRTIO_VSOCK_SHUT_SEND);
    answer.op = VIRTIO_VSOCK_SHUTDOWN;
    answer.flags = VIRTIO_VSOCK_SHUT_SEND | VIRTIO_VSOCK_SHUT_RECEIVE;
    send_packet(answer, 0);
    assert_false(s->open);
    expect(VIRTIO_VSOCK_RST);
    nothing();
}

static void bad_clients(void **state)
{
    static const char *const lines[] = {"HELLO 77\n",
                                        "CONNECT\n",
                                        "CONNECT \n",
                                        "CONNECT x\n",
                                        "CONNECT -1\n",
                                        "CONNECT 7x\n",
                                        "\n",
                                        "CONNECT 4294967296\n",
                                        "CONNECT 00000000000000000000000000000000000077\n"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct fake_stream *s = fake_vsock_client(&host, lines[i]);

        nothing();
        if (s->open)
            fail_msg("%s", lines[i]);
    }
}

/* A guest with little room, which reports when it has more. */
static void credit_of_the_guest(void **state)
{
    struct virtio_vsock_header h = packet(VIRTIO_VSOCK_REQUEST);
    struct fake_stream *s;

    (void)state;
    h.buffer = 100;
    send_packet(h, 0);
    expect(VIRTIO_VSOCK_RESPONSE);
    s = &host.stream[host.next - 1];
    s->waiting = 250;
    host.news = true;
    assert_int_equal(next().size, 100);
    expect(VIRTIO_VSOCK_CREDIT_REQUEST); /* once */
    nothing();
    h.op = VIRTIO_VSOCK_CREDIT_UPDATE;
    send_packet(h, 0); /* no answer, as it has read nothing: or both would ask for ever */
    nothing();
    h.forwarded = 60;
    send_packet(h, 0);
    assert_int_equal(next().size, 60);
    h.forwarded = 1000; /* more than it got */
    send_packet(h, 0);
    expect(VIRTIO_VSOCK_CREDIT_REQUEST);
    nothing();
}

/* A program on the host that at first does not read. */
static void credit_of_the_host(void **state)
{
    struct fake_stream *s = guest_connects();
    struct virtio_vsock_header h;

    (void)state;
    s->room = 10;
    for (unsigned i = 0; i < VSOCK_BUFFER / 1024; i++)
        send_data(1024);
    assert_int_equal(s->taken, 10);
    expect(VIRTIO_VSOCK_CREDIT_UPDATE);
    nothing();
    say(VIRTIO_VSOCK_CREDIT_REQUEST);
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_CREDIT_UPDATE && h.forwarded == 10);
    s->room = 40000;
    host.news = true;
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_CREDIT_UPDATE && h.forwarded == 40010);
    h = packet(VIRTIO_VSOCK_SHUTDOWN);
    h.flags = VIRTIO_VSOCK_SHUT_SEND;
    send_packet(h, 0);
    assert_true(s->open && !s->output_ended); /* bytes come first */
    s->room = UINT32_MAX;
    host.news = true;
    driver_serve(&driver);
    assert_true(s->output_ended && s->taken == VSOCK_BUFFER);
    say(VIRTIO_VSOCK_CREDIT_REQUEST);
    assert_int_equal(next().forwarded, VSOCK_BUFFER);
    send_data(1); /* after it has shut down its sending side */
    assert_false(s->open);
    expect(VIRTIO_VSOCK_RST);
}

static void more_than_its_credit(void **state)
{
    struct fake_stream *s = guest_connects();

    (void)state;
    s->room = 0;
    for (unsigned i = 0; i < VSOCK_BUFFER / 1024; i++)
        send_data(1024);
    assert_true(s->open);
    send_data(1);
    assert_false(s->open);
    expect(VIRTIO_VSOCK_RST);
    nothing();
}

static void a_host_that_goes(void **state)
{
    struct fake_stream *s = guest_connects();

    (void)state;
    s->broken = -EPIPE;
    s->ends = true;
    send_data(1);
    assert_int_equal(next().flags, VIRTIO_VSOCK_SHUT_RECEIVE);
    expect(VIRTIO_VSOCK_RST);
    assert_false(s->open);
    send_data(1);
    expect(VIRTIO_VSOCK_RST); /* there is no such connection */
    nothing();
}

/* What a client sent before it closed arrives, even if the guest writes to it meanwhile. */
static void a_host_that_sent_and_went(void **state)
{
    struct fake_stream *s = guest_connects();
    struct virtio_vsock_header h;

    (void)state;
    s->room = 10;
    send_data(100); /* 90 bytes are kept */
    nothing();
    s->broken = -EPIPE;
    s->waiting = 5000;
    s->ends = true;
    host.news = true;
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_SHUTDOWN && h.flags == VIRTIO_VSOCK_SHUT_RECEIVE);
    assert_int_equal(h.forwarded, 100);
    send_data(1000); /* sent before it knew */
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_RW && h.size == ROOM - HEADER && h.forwarded == 1100);
    h = next();
    assert_true(h.op == VIRTIO_VSOCK_RW && h.size == 5000 - (ROOM - HEADER));
    expect(VIRTIO_VSOCK_RST);
    nothing();
    assert_false(s->open);
}

/* The host may allow fewer connections than the device has places. */
static void few_descriptors(void **state)
{
    (void)state;
    host.host.limit = 2;
    for (unsigned i = 0; i < 4; i++) {
        struct virtio_vsock_header h = packet(VIRTIO_VSOCK_REQUEST);

        h.source_port = i;
        send_packet(h, 0);
        expect(i < 2 ? VIRTIO_VSOCK_RESPONSE : VIRTIO_VSOCK_RST);
    }
    assert_int_equal(host.open, 2);
}

static void no_packets(void **state)
{
    struct virtio_vsock_header bad[5];
    struct driver_part small = {OUT, HEADER - 1, false};

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        bad[i] = packet(VIRTIO_VSOCK_REQUEST);
    bad[0].source_cid = CID + 1;
    bad[1].target_cid = 3;
    bad[2].type = 2;
    bad[3].size = 1;
    bad[4].op = 99;
    for (unsigned i = 0; i < 5; i++) {
        send_packet(bad[i], 0);
        expect(VIRTIO_VSOCK_RST);
        assert_int_equal(host.open, 0);
    }
    say(VIRTIO_VSOCK_RST); /* not answered */
    nothing();
    guest_connects();
    bad[4].op = 99;
    send_packet(bad[4], 0);
    expect(VIRTIO_VSOCK_RST);
    driver_offer(&driver, TRANSMIT, &small, 1);
    driver_serve(&driver);
    assert_int_equal(driver.fake.said, 1);
}

/* Answers wait for the guest's buffers, and its packets wait for the answers: all arrive. */
static void many_refusals(void **state)
{
    (void)state;
    host.refuses = -ECONNREFUSED;
    for (unsigned i = 0; i < 200; i++) {
        struct virtio_vsock_header h = packet(VIRTIO_VSOCK_REQUEST);

        h.source_port = i;
        send_packet(h, 0);
        if (i % 14 == 13) /* the test's queue is short */
            for (unsigned k = 0; k < 14; k++)
                expect(VIRTIO_VSOCK_RST);
    }
}

static void many_connections(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VSOCK_CONNECTIONS_MAX + 3; i++) {
        struct virtio_vsock_header h = packet(VIRTIO_VSOCK_REQUEST);

        h.source_port = i;
        send_packet(h, 0);
        expect(i < VSOCK_CONNECTIONS_MAX ? VIRTIO_VSOCK_RESPONSE : VIRTIO_VSOCK_RST);
    }
    (void)fake_vsock_client(&host, "CONNECT 77\n");
    nothing();
    assert_int_equal(host.client_count, 1); /* it waits */
    say(99); /* breaks a connection, whose place is free after the answer */
    expect(VIRTIO_VSOCK_RST);
    assert_int_equal(host.client_count, 0);
    expect(VIRTIO_VSOCK_REQUEST);
}

static void reset(void **state)
{
    struct fake_stream *s = guest_connects();

    (void)state;
    driver_set(&driver, VIRTIO_MMIO_STATUS, 0);
    assert_false(s->open);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(from_the_guest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_clients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(credit_of_the_guest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(credit_of_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_its_credit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_that_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_that_sent_and_went, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_packets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reset, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("vsock", tests, NULL, NULL);
}
