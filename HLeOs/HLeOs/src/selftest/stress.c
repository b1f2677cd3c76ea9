/*
 * A million operations on threads, locks and memory, in four threads at once; afterwards as many
 * pages and blocks must be free as before. `stress=N` sets another count.
 */
#include <stddef.h>
#include <stdint.h>

#include "cpu/boot.h"
#include "iostream.h"
#include "kmalloc.h"
#include "memory/heap.h"
#include "memory/page.h"
#include "selftest/selftest.h"
#include "thread.h"
#include "thread/sync.h"

enum { WORKERS = 4, OPERATIONS = 1000000, HELD = 64, SIZE_MAX_ASKED = 600 };

struct worker {
    uint64_t random;
    unsigned operations;
    void *held[HELD];
    unsigned errors, created;
};

static struct sync_mutex mutex;
static uint64_t under_mutex;

/* Marsaglia's xorshift64: the same sequence in every run. */
static uint64_t next(struct worker *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static intptr_t child(void *argument)
{
    return (intptr_t)argument + 1;
}

static void allocate_or_free(struct worker *w, uint64_t r)
{
    void **slot = &w->held[r % HELD];

    if (*slot != NULL) {
        w->errors += kmalloc_check(*slot) != HEAP_OK;
        kfree(*slot);
        *slot = NULL;
    } else {
        *slot = kmalloc(r >> 16 & (SIZE_MAX_ASKED - 1));
        w->errors += *slot == NULL;
    }
}

static void make_thread(struct worker *w)
{
    struct thread *thread = thread_create("child", THREAD_PRIORITY_NORMAL, child, w);

    w->created++;
    w->errors += thread == NULL || thread_join(thread) != (intptr_t)w + 1;
}

static void one_operation(struct worker *w)
{
    uint64_t r = next(w);

    switch (r >> 56 & 15) {
    case 0:
        if ((r >> 40 & 7) == 0) /* a thread costs far more than the other operations */
            make_thread(w);
        else
            thread_yield();
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        sync_mutex_take(&mutex);
        under_mutex++;
        sync_mutex_give(&mutex);
        break;
    default:
        allocate_or_free(w, r);
        break;
    }
}

static intptr_t work(void *argument)
{
    struct worker *w = argument;

    for (unsigned i = 0; i < w->operations; i++)
        one_operation(w);
    for (unsigned i = 0; i < HELD; i++)
        kfree(w->held[i]);
    return w->errors;
}

static unsigned asked_for(void)
{
    const char *p = boot_option("stress");
    unsigned count = 0;

    if (p == NULL)
        return OPERATIONS;
    for (; *p >= '0' && *p <= '9' && count < 100000000; p++)
        count = count * 10 + (unsigned)(*p - '0');
    return count;
}

static void run(unsigned operations)
{
    static struct worker workers[WORKERS];
    struct thread *threads[WORKERS];

    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.random = 0x9e3779b97f4a7c15 * (i + 1),
                                     .operations = operations / WORKERS};
        threads[i] = thread_create("stress", THREAD_PRIORITY_NORMAL, work, &workers[i]);
        expect(threads[i] != NULL);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        expect_equal(thread_join(threads[i]), 0);
}

static void a_million_operations_leave_nothing(void)
{
    size_t pages, bytes;
    unsigned operations = asked_for();

    run(operations); /* first run: heap and page tables grow, and stay so */
    pages = selftest_pages_left();
    bytes = kmalloc_stats().bytes_used;
    run(operations);
    println("  %u operations, %lu under the mutex", 2 * operations, under_mutex);
    expect_equal(kmalloc_stats().bytes_used, bytes);
    /* Another order of the same operations may make the heap grow; its pages are counted. */
    expect_equal(selftest_pages_left(), pages);
}

const struct selftest selftest_stress[] = {
    {"a_million_operations_leave_nothing", a_million_operations_leave_nothing},
    {0},
};
