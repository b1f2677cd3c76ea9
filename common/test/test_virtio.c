/* Unit tests of virtio queues and registers, with a small driver that is correct or hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/test/virtio_world.h"

enum { QUEUES = 2, SIZE = 8, ROOM = 16 };
enum { TABLE = WORLD_BASE, DRIVER = WORLD_BASE + 0x1000, DEVICE = WORLD_BASE + 0x2000 };

struct fixture {
    struct virtio_test_world world;
    struct virtio dev;
    uint8_t config[8];
    struct virtio_part parts[ROOM];
    struct virtio_chain chain;
    unsigned notified, started, resets;
};

static void on_notified(struct virtio *dev, unsigned queue)
{
    ((struct fixture *)dev->device)->notified |= 1u << queue;
}

static void on_started(struct virtio *dev)
{
    ((struct fixture *)dev->device)->started++;
}

static void on_reset(struct virtio *dev)
{
    ((struct fixture *)dev->device)->resets++;
}

static const struct virtio_ops ops = {.name = "test",
                                      .id = VIRTIO_ID_BLOCK,
                                      .queues = QUEUES,
                                      .notified = on_notified,
                                      .started = on_started,
                                      .reset = on_reset};

static void set(struct fixture *f, uint64_t offset, uint64_t value)
{
    assert_true(virtio_mmio_write(&f->dev, offset, 4, value));
}

static uint64_t get(struct fixture *f, uint64_t offset)
{
    return virtio_mmio_read(&f->dev, offset, 4);
}

static void put16(struct fixture *f, uint64_t at, uint16_t value)
{
    world_copy(&f->world, at, &value, sizeof value, true);
}

static uint16_t get16(struct fixture *f, uint64_t at)
{
    uint16_t value;

    world_copy(&f->world, at, &value, sizeof value, false);
    return value;
}

static void describe(struct fixture *f, uint64_t table, unsigned i, uint64_t address, uint32_t size,
                     uint16_t flags, uint16_t next)
{
    struct virtio_descriptor d = {address, size, flags, next};

    world_copy(&f->world, table + i * sizeof d, &d, sizeof d, true);
}

/* Makes `head` available as the request number `n`. */
static void offer(struct fixture *f, uint16_t n, uint16_t head)
{
    put16(f, DRIVER + 4 + 2ul * (n % SIZE), head);
    put16(f, DRIVER + 2, (uint16_t)(n + 1));
}

static void start(struct fixture *f, uint64_t features)
{
    set(f, VIRTIO_MMIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES, features);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES, 1);
    set(f, VIRTIO_MMIO_STATUS, 0xb);
    assert_int_equal(get(f, VIRTIO_MMIO_STATUS), 0xb);
    set(f, VIRTIO_MMIO_QUEUE_NUM, SIZE);
    set(f, VIRTIO_MMIO_QUEUE_DESC, TABLE);
    set(f, VIRTIO_MMIO_QUEUE_DRIVER, DRIVER);
    set(f, VIRTIO_MMIO_QUEUE_DEVICE, DEVICE);
    set(f, VIRTIO_MMIO_QUEUE_READY, 1);
    assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_READY), 1);
    set(f, VIRTIO_MMIO_STATUS, 0xf);
    assert_int_equal(f->started, 1);
}

static int open_fixture(void **state)
{
    static struct fixture f;

    f = (struct fixture){.dev = {.ops = &ops,
                                 .world = &world_ops,
                                 .queue_size_max = ROOM,
                                 .features = 1,
                                 .config = f.config,
                                 .config_size = sizeof f.config}};
    world_open(&f.world);
    f.dev.context = &f.world;
    f.dev.device = &f;
    f.chain = (struct virtio_chain){.part = f.parts, .room = ROOM};
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    world_close(&((struct fixture *)*state)->world);
    return 0;
}

static void registers_tell_what_it_is(void **state)
{
    struct fixture *f = *state;

    f->config[3] = 7;
    assert_int_equal(get(f, VIRTIO_MMIO_MAGIC), VIRTIO_MMIO_MAGIC_VALUE);
    assert_int_equal(get(f, VIRTIO_MMIO_VERSION), 2);
    assert_int_equal(get(f, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_BLOCK);
    assert_int_equal(get(f, VIRTIO_MMIO_DEVICE_FEATURES), 1 | 3u << 28);
    set(f, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
    assert_int_equal(get(f, VIRTIO_MMIO_DEVICE_FEATURES), 1);
    set(f, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
    assert_int_equal(get(f, VIRTIO_MMIO_DEVICE_FEATURES), 0);
    set(f, VIRTIO_MMIO_QUEUE_SEL, QUEUES);
    assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
    assert_int_equal(get(f, VIRTIO_MMIO_CONFIG), 7u << 24);
    assert_int_equal(virtio_mmio_read(&f->dev, VIRTIO_MMIO_CONFIG + 3, 1), 7);
    assert_int_equal(virtio_mmio_read(&f->dev, VIRTIO_MMIO_CONFIG + 7, 2), 0); /* beyond it */
    assert_int_equal(get(f, VIRTIO_MMIO_SHM_LENGTH), UINT32_MAX);
}

/* The driver cannot accept a feature that was not offered, nor leave out version 1, nor start the
 * device before FEATURES_OK. */
static void features_must_be_agreed_on(void **state)
{
    struct fixture *f = *state;

    set(f, VIRTIO_MMIO_DRIVER_FEATURES, 1);
    set(f, VIRTIO_MMIO_STATUS, 0xf);
    assert_int_equal(get(f, VIRTIO_MMIO_STATUS), 3);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES, 3);
    set(f, VIRTIO_MMIO_STATUS, 0xb);
    assert_int_equal(get(f, VIRTIO_MMIO_STATUS), 3);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES, 1);
    set(f, VIRTIO_MMIO_STATUS, 0xf);
    assert_int_equal(get(f, VIRTIO_MMIO_STATUS), 0xf);
    set(f, VIRTIO_MMIO_DRIVER_FEATURES, 0); /* too late */
    assert_true(virtio_has(&f->dev, VIRTIO_F_VERSION_1));
}

static void a_request_goes_there_and_back(void **state)
{
    struct fixture *f = *state;
    uint64_t edge = WORLD_BASE + WORLD_HALF - 2; /* crosses into the other piece of memory */
    char text[8] = {0};

    start(f, 0);
    world_copy(&f->world, WORLD_BASE + 0x3000, (char[]){"hello"}, 5, true);
    describe(f, TABLE, 3, WORLD_BASE + 0x3000, 3, VIRTIO_DESC_NEXT, 1);
    describe(f, TABLE, 1, WORLD_BASE + 0x3003, 2, VIRTIO_DESC_NEXT, 2);
    describe(f, TABLE, 2, edge, 6, VIRTIO_DESC_WRITE, 0);
    assert_false(virtio_pop(&f->dev, 0, &f->chain));
    offer(f, 0, 3);
    set(f, VIRTIO_MMIO_QUEUE_NOTIFY, 0);
    assert_int_equal(f->notified, 1);
    assert_true(virtio_pop(&f->dev, 0, &f->chain));
    assert_int_equal(virtio_in_flight(&f->dev), 1);
    assert_int_equal(f->chain.readable, 5);
    assert_int_equal(f->chain.writable, 6);
    assert_int_equal(virtio_read(&f->dev, &f->chain, 0, text, 5), VIRTIO_OK);
    assert_string_equal(text, "hello");
    assert_int_equal(virtio_read(&f->dev, &f->chain, 2, text, 4), VIRTIO_BAD); /* too much */
    assert_int_equal(virtio_write(&f->dev, &f->chain, 1, "WORLD", 5), VIRTIO_OK);
    assert_int_equal(virtio_push(&f->dev, &f->chain, 6), VIRTIO_OK);
    assert_int_equal(get16(f, DEVICE + 2), 1);
    assert_int_equal(get16(f, DEVICE + 4), 3);
    assert_int_equal(get16(f, DEVICE + 8), 6);
    world_copy(&f->world, edge + 1, text, 5, false);
    assert_memory_equal(text, "WORLD", 5);
    assert_false(f->world.level);
    virtio_notify_driver(&f->dev, 0);
    virtio_notify_driver(&f->dev, 0); /* nothing new */
    assert_int_equal(f->world.interrupts, 1);
    assert_int_equal(get(f, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_INTERRUPT_USED);
    set(f, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
    assert_false(f->world.level);
}

static void pieces_are_where_the_bytes_are(void **state)
{
    struct fixture *f = *state;
    struct virtio_piece pieces[2];
    uint64_t size = 100;
    unsigned count;

    start(f, 0);
    describe(f, TABLE, 0, WORLD_BASE + WORLD_HALF - 10, 50, VIRTIO_DESC_WRITE | VIRTIO_DESC_NEXT,
             1);
    describe(f, TABLE, 1, WORLD_BASE + 0x3000, 60, VIRTIO_DESC_WRITE, 0);
    offer(f, 0, 0);
    assert_true(virtio_pop(&f->dev, 0, &f->chain));
    assert_int_equal(virtio_pieces(&f->dev, &f->chain, true, 4, &size, pieces, 2, &count),
                     VIRTIO_OK);
    assert_int_equal(count, 2); /* no room for the third */
    assert_int_equal(size, 46);
    assert_ptr_equal(pieces[0].at, f->world.half[0] + WORLD_HALF - 6);
    assert_ptr_equal(pieces[1].at, f->world.half[1]);
    size = 100;
    assert_int_equal(virtio_pieces(&f->dev, &f->chain, true, 50, &size, pieces, 2, &count),
                     VIRTIO_BAD);
    virtio_unpop(&f->dev, &f->chain);
    assert_true(virtio_pop(&f->dev, 0, &f->chain));
}

static void indirect_tables(void **state)
{
    struct fixture *f = *state;
    uint64_t table = WORLD_BASE + 0x3800;

    start(f, VIRTIO_F_INDIRECT_DESC);
    describe(f, TABLE, 0, WORLD_BASE + 0x3000, 4, VIRTIO_DESC_NEXT, 1); /* the one before: valid */
    describe(f, TABLE, 1, table, 2 * 16, VIRTIO_DESC_INDIRECT, 0);
    describe(f, table, 0, WORLD_BASE + 0x3004, 4, VIRTIO_DESC_NEXT, 1);
    describe(f, table, 1, WORLD_BASE + 0x3008, 8, VIRTIO_DESC_WRITE, 0);
    offer(f, 0, 0);
    assert_true(virtio_pop(&f->dev, 0, &f->chain));
    assert_int_equal(f->chain.count, 3);
    assert_int_equal(f->chain.readable, 8);
    assert_int_equal(f->chain.writable, 8);
}

/* A driver's error leads to NEEDS_RESET, one message, an interrupt, and no more requests. */
static void bad_drivers(void **state)
{
    struct fixture *f = *state;
    uint64_t table = WORLD_BASE + 0x3800;
    static const struct {
        const char *name;
        uint64_t address;
        uint32_t size;
        uint16_t flags, next, head, index;
    } bad[] = {
        {"loop", WORLD_BASE, 1, VIRTIO_DESC_NEXT, 0, 0, 1},
        {"next beyond the table", WORLD_BASE, 1, VIRTIO_DESC_NEXT, SIZE, 0, 1},
        {"head beyond the table", WORLD_BASE, 1, 0, 0, SIZE, 1},
        {"outside", WORLD_END - 1, 2, 0, 0, 0, 1},
        {"overflow", UINT64_MAX, 2, 0, 0, 0, 1},
        {"overflow from inside", WORLD_BASE, UINT32_MAX, VIRTIO_DESC_WRITE, 0, 0, 1},
        {"index jumps", WORLD_BASE, 1, 0, 0, 0, SIZE + 1},
        {"index goes back", WORLD_BASE, 1, 0, 0, 0, UINT16_MAX},
        {"indirect and next", WORLD_BASE, 16, VIRTIO_DESC_INDIRECT | VIRTIO_DESC_NEXT, 0, 0, 1},
        {"half a descriptor", WORLD_BASE, 24, VIRTIO_DESC_INDIRECT, 0, 0, 1},
        {"no descriptor", WORLD_BASE, 0, VIRTIO_DESC_INDIRECT, 0, 0, 1},
        {"indirect outside", WORLD_END, 16, VIRTIO_DESC_INDIRECT, 0, 0, 1},
        {"indirect in indirect", WORLD_BASE + 0x3800, 16, VIRTIO_DESC_INDIRECT, 0, 0, 1},
        {"loop in indirect", WORLD_BASE + 0x3810, 16, VIRTIO_DESC_INDIRECT, 0, 0, 1},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set(f, VIRTIO_MMIO_STATUS, 0);
        f->started = f->world.broken = f->world.interrupts = 0;
        start(f, VIRTIO_F_INDIRECT_DESC);
        describe(f, table, 0, WORLD_BASE, 16, VIRTIO_DESC_INDIRECT, 0);
        describe(f, table, 1, WORLD_BASE, 16, VIRTIO_DESC_NEXT, 0);
        describe(f, TABLE, 0, bad[i].address, bad[i].size, bad[i].flags, bad[i].next);
        put16(f, DRIVER + 4, bad[i].head);
        put16(f, DRIVER + 2, bad[i].index);
        assert_false(virtio_pop(&f->dev, 0, &f->chain));
        assert_false(virtio_pop(&f->dev, 0, &f->chain));
        if (f->world.broken != 1 || f->world.interrupts != 1)
            fail_msg("%s: broken %u times, %u interrupts", bad[i].name, f->world.broken,
                     f->world.interrupts);
        assert_true(get(f, VIRTIO_MMIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET);
        assert_int_equal(virtio_in_flight(&f->dev), 0);
    }
}

static void a_part_to_read_behind_one_to_write(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    describe(f, TABLE, 0, WORLD_BASE, 16, VIRTIO_DESC_NEXT | VIRTIO_DESC_WRITE, 1);
    describe(f, TABLE, 1, WORLD_BASE, 16, 0, 0);
    offer(f, 0, 0);
    assert_false(virtio_pop(&f->dev, 0, &f->chain));
    assert_int_equal(f->world.broken, 1);
    set(f, VIRTIO_MMIO_STATUS, 0); /* after a reset the device works again */
    f->started = 0;
    start(f, 0);
    describe(f, TABLE, 0, WORLD_BASE, 16, VIRTIO_DESC_INDIRECT, 0); /* not agreed on */
    offer(f, 0, 0);
    assert_false(virtio_pop(&f->dev, 0, &f->chain));
    assert_int_equal(f->world.broken, 2);
}

static void queues_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    static const uint64_t places[][3] = {
        {TABLE + 8, DRIVER, DEVICE},    {TABLE, DRIVER + 1, DEVICE},
        {TABLE, DRIVER, DEVICE + 2},    {WORLD_END - 16, DRIVER, DEVICE},
        {TABLE, WORLD_END - 4, DEVICE}, {TABLE, DRIVER, WORLD_END - 4},
        {TABLE, DRIVER, UINT64_MAX - 3}};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        set(f, VIRTIO_MMIO_STATUS, 0);
        set(f, VIRTIO_MMIO_QUEUE_NUM, 3);        /* no power of two */
        set(f, VIRTIO_MMIO_QUEUE_NUM, 2 * ROOM); /* too long */
        assert_int_equal(f->dev.state.queue[0].size, 0);
        set(f, VIRTIO_MMIO_QUEUE_NUM, SIZE);
        for (unsigned part = 0; part < 3; part++) {
            set(f, VIRTIO_MMIO_QUEUE_DESC + 0x10 * part, places[i][part]);
            set(f, VIRTIO_MMIO_QUEUE_DESC + 0x10 * part + 4, places[i][part] >> 32);
        }
        set(f, VIRTIO_MMIO_QUEUE_READY, 1);
        assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_READY), 0);
        assert_int_equal(f->world.broken, i + 1);
    }
}

/* Writes to a queue's registers have no effect while the queue is ready. */
static void ready_is_frozen(void **state)
{
    struct fixture *f = *state;
    struct virtio_queue_state before;

    start(f, 0);
    before = f->dev.state.queue[0];
    for (uint64_t offset = VIRTIO_MMIO_QUEUE_NUM; offset < VIRTIO_MMIO_SHM_LENGTH; offset += 4)
        if (offset != VIRTIO_MMIO_QUEUE_READY && offset != VIRTIO_MMIO_STATUS)
            set(f, offset, 4);
    assert_memory_equal(&before, &f->dev.state.queue[0], sizeof before);
}

/* A reset, and a write of 0 to QUEUE_READY, take effect only when the request in flight is back. */
static void requests_in_flight_are_waited_for(void **state)
{
    struct fixture *f = *state;
    uint16_t used;

    for (unsigned round = 0; round < 2; round++) {
        uint64_t offset = round == 0 ? VIRTIO_MMIO_STATUS : VIRTIO_MMIO_QUEUE_READY;

        put16(f, DRIVER + 2, 0);
        f->started = f->resets = 0;
        start(f, 0);
        used = get16(f, DEVICE + 2);
        describe(f, TABLE, 0, WORLD_BASE + 0x3000, 16, VIRTIO_DESC_WRITE, 0);
        offer(f, 0, 0);
        assert_true(virtio_pop(&f->dev, 0, &f->chain));
        assert_false(virtio_mmio_write(&f->dev, offset, 4, 0));
        assert_false(virtio_mmio_write(&f->dev, offset, 4, 0));
        assert_int_equal(f->resets, round == 0);
        set(f, VIRTIO_MMIO_STATUS, 0xf); /* by another vCPU: ignored until the reset is done */
        offer(f, 1, 0);
        assert_int_equal(virtio_push(&f->dev, &f->chain, 16), VIRTIO_OK);
        assert_int_equal(get16(f, DEVICE + 2), used); /* the ring is not written any more */
        assert_true(virtio_mmio_write(&f->dev, offset, 4, 0));
        assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_READY), 0);
        assert_int_equal(get(f, VIRTIO_MMIO_STATUS), round == 0 ? 0 : 0xf);
        put16(f, DEVICE + 2, 0);
    }
}

static void event_index(void **state)
{
    struct fixture *f = *state;
    uint64_t used_event = DRIVER + 4 + 2ul * SIZE, avail_event = DEVICE + 4 + 8ul * SIZE;

    start(f, VIRTIO_F_EVENT_IDX);
    describe(f, TABLE, 0, WORLD_BASE + 0x3000, 16, VIRTIO_DESC_WRITE, 0);
    put16(f, used_event, 2); /* interrupt when the third is used */
    for (uint16_t i = 0; i < 5; i++) {
        offer(f, i, 0);
        assert_int_equal(virtio_listen(&f->dev, 0), VIRTIO_MORE);
        assert_true(virtio_pop(&f->dev, 0, &f->chain));
        assert_int_equal(virtio_push(&f->dev, &f->chain, 16), VIRTIO_OK);
        virtio_notify_driver(&f->dev, 0);
        /* The first used request always interrupts, as told_valid is not set; then the third. */
        assert_int_equal(f->world.interrupts, i == 0 ? 1 : i < 2 ? 1 : 2);
    }
    assert_int_equal(virtio_listen(&f->dev, 0), VIRTIO_OK);
    assert_int_equal(get16(f, avail_event), 5);
    offer(f, 5, 0); /* stays in the queue: virtio_offered() asks for the one after it */
    assert_int_equal(virtio_offered(&f->dev, 0), 6);
    assert_int_equal(get16(f, avail_event), 6);
}

static void flags_without_event_index(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    describe(f, TABLE, 0, WORLD_BASE + 0x3000, 16, VIRTIO_DESC_WRITE, 0);
    put16(f, DRIVER, VIRTIO_RING_NO_EVENT);
    offer(f, 0, 0);
    virtio_stop_listening(&f->dev, 0);
    assert_int_equal(get16(f, DEVICE), VIRTIO_RING_NO_EVENT);
    assert_true(virtio_pop(&f->dev, 0, &f->chain));
    f->world.unbacked = true;
    assert_int_equal(virtio_push(&f->dev, &f->chain, 16), VIRTIO_LATER);
    assert_int_equal(virtio_in_flight(&f->dev), 1);
    assert_int_equal(virtio_push(&f->dev, &f->chain, 16), VIRTIO_OK);
    virtio_notify_driver(&f->dev, 0);
    assert_int_equal(f->world.interrupts, 0);
    assert_int_equal(virtio_listen(&f->dev, 0), VIRTIO_OK);
    assert_int_equal(get16(f, DEVICE), 0);
    virtio_stop_listening(&f->dev, 0);
    assert_int_equal(virtio_offered(&f->dev, 0), 1);
    assert_int_equal(get16(f, DEVICE), 0);
}

static void a_state_goes_on_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct virtio_state saved, bad;

    start(f, VIRTIO_F_EVENT_IDX);
    describe(f, TABLE, 0, WORLD_BASE + 0x3000, 16, VIRTIO_DESC_WRITE, 0);
    offer(f, 0, 0);
    saved = f->dev.state;
    virtio_reset(&f->dev);
    assert_false(virtio_pop(&f->dev, 0, &f->chain));
    assert_true(virtio_load(&f->dev, &saved));
    assert_true(virtio_pop(&f->dev, 0, &f->chain));
    assert_int_equal(virtio_push(&f->dev, &f->chain, 16), VIRTIO_OK);

    bad = saved;
    bad.queue[0].size = 3;
    assert_false(virtio_load(&f->dev, &bad));
    bad = saved;
    bad.queue[0].device = WORLD_END;
    assert_false(virtio_load(&f->dev, &bad));
    bad = saved;
    bad.queue[QUEUES] = bad.queue[0];
    assert_false(virtio_load(&f->dev, &bad));
    bad = saved;
    bad.driver_features |= 2;
    assert_false(virtio_load(&f->dev, &bad));
    bad = saved;
    bad.status = VIRTIO_STATUS_DRIVER_OK;
    assert_false(virtio_load(&f->dev, &bad));
}

static void the_configuration_changes(void **state)
{
    struct fixture *f = *state;

    virtio_config_changed(&f->dev); /* no effect before DRIVER_OK */
    assert_int_equal(f->world.interrupts, 0);
    start(f, 0);
    virtio_config_changed(&f->dev);
    assert_int_equal(f->world.interrupts, 1);
    assert_int_equal(get(f, VIRTIO_MMIO_CONFIG_GENERATION), 2);
    assert_int_equal(get(f, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
    set(f, VIRTIO_MMIO_STATUS, 0);
    assert_int_equal(get(f, VIRTIO_MMIO_CONFIG_GENERATION), 2); /* a reset does not change it */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_fixture, close_fixture)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(registers_tell_what_it_is),
        TEST(features_must_be_agreed_on),
        TEST(a_request_goes_there_and_back),
        TEST(pieces_are_where_the_bytes_are),
        TEST(indirect_tables),
        TEST(bad_drivers),
        TEST(a_part_to_read_behind_one_to_write),
        TEST(queues_that_cannot_be),
        TEST(ready_is_frozen),
        TEST(requests_in_flight_are_waited_for),
        TEST(event_index),
        TEST(flags_without_event_index),
        TEST(a_state_goes_on_elsewhere),
        TEST(the_configuration_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
