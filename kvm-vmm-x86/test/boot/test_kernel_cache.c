/* Unit tests of boot/linux/kernel_cache.c: a disk that does not answer does not block the run. The
 * folder and its disk are this test's; the event loop is the real one. */
#include <semaphore.h>
#include <unistd.h>

#include "boot/linux/kernel_cache.c" /* no unit test links it */
#include "cmocka_all.h"

static sem_t disk;

bool cache_secret(const char *name, uint8_t *bytes, size_t size)
{
    return name != NULL && bytes != NULL && size > 0;
}

const uint8_t *cache_map(const char *name, size_t *size)
{
    *size = 0;
    return name == NULL ? (const uint8_t *)"" : NULL;
}

bool cache_unmap(const uint8_t *bytes, size_t size)
{
    return bytes != NULL && size == 0;
}

bool cache_write(const struct cache_write *write)
{
    (void)write;
    return sem_wait(&disk) == 0;
}

static int make(void **state)
{
    static bool made;
    struct error error;
    struct cached_key key = {0};

    (void)state;
    alarm(200); /* the old code waited for ever */
    if (!made)
        assert_int_equal(events_init(&error), 0);
    made = true;
    sem_init(&disk, 0, 0);
    kernel_cache_ops.keep(&key, calloc(1, 100), 100);
    kernel_cache_ops.keep(&key, calloc(1, 100), 100); /* of another guest: a run caches only one */
    kernel_cache_start();
    return 0;
}

static void test_what_is_written_in_time(void **state)
{
    (void)state;
    sem_post(&disk);
    kernel_cache_finish();
    assert_int_equal(kernel_cache_used(), KERNEL_CACHE_WRITTEN);
}

/* Two payloads with the same value of the cache's former checksum, which anyone can compute: 4
 * lanes of s = (s ^ word) * factor, s ^ s >> 29. Their keys differ, and so do those under another
 * secret. */
static uint64_t former_sum(uint64_t s, uint64_t word)
{
    s = (s ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return s ^ s >> 29;
}

static void test_a_crafted_payload(void **state)
{
    static const uint8_t own[SIPHASH_SECRET] = {1}, another[SIPHASH_SECRET] = {2};
    uint64_t trusted[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}}, hostile[2][4] = {{9, 9, 9, 9}};
    struct cached_key a, b;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t s = UINT64_C(0xc2b2ae3d27d4eb4f) + i, x = former_sum(s, trusted[0][i]),
                 y = former_sum(s, hostile[0][i]);

        hostile[1][i] = y ^ x ^ trusted[1][i];
        assert_int_equal(former_sum(x, trusted[1][i]), former_sum(y, hostile[1][i]));
    }
    a = cached_key_of(own, (const uint8_t *)trusted, sizeof trusted);
    b = cached_key_of(own, (const uint8_t *)hostile, sizeof hostile);
    assert_memory_not_equal(a.hash, b.hash, sizeof a.hash);
    b = cached_key_of(another, (const uint8_t *)trusted, sizeof trusted);
    assert_memory_not_equal(a.hash, b.hash, sizeof a.hash);
}

/* Must be the last test: patience never grows. */
static void test_a_disk_that_hangs(void **state)
{
    (void)state;
    events_set_patience(20 * UINT64_C(1000000));
    kernel_cache_finish();
    assert_int_equal(kernel_cache_used(), KERNEL_CACHE_FAILED);
    sem_post(&disk);
    thread_join(&kernel_cache.writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crafted_payload),
        cmocka_unit_test_setup(test_what_is_written_in_time, make),
        cmocka_unit_test_setup(test_a_disk_that_hangs, make),
    };

    return cmocka_run_group_tests_name("kernel cache", tests, NULL, NULL);
}
