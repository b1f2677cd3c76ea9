/* Finds the loop that a guest is in; see loop.h. */
#include "watch/explain/loop.h"

#include <stdlib.h>

/* The head of a loop is seen at least this often, and nearly so often each of its instructions. */
enum { TIMES_MIN = 8 };

static int by_value(const void *a, const void *b)
{
    const gva_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The number of equal addresses from `i` on, in the sorted list. */
static size_t run_length(const gva_t *addresses, size_t count, size_t i)
{
    size_t n = 1;

    while (i + n < count && addresses[i + n] == addresses[i])
        n++;
    return n;
}

/* A sample that begins or ends in mid-loop has some instructions once more than others. */
static bool nearly(size_t n, size_t most)
{
    return n + 1 + most / 64 >= most;
}

static void find_hottest(struct loop *loop, const gva_t *addresses, size_t count)
{
    size_t most = 0;

    for (size_t i = 0, n; i < count; i += n) {
        n = run_length(addresses, count, i);
        most = n > most ? n : most;
    }
    for (size_t i = 0, n; i < count && loop->times == 0; i += n) {
        n = run_length(addresses, count, i);
        if (nearly(n, most)) {
            loop->times = n;
            loop->hot = addresses[i];
        }
    }
}

struct loop loop_find(gva_t *addresses, size_t count)
{
    struct loop loop = {.samples = count};

    qsort(addresses, count, sizeof *addresses, by_value);
    find_hottest(&loop, addresses, count);
    for (size_t i = 0, n; i < count; i += n) {
        n = run_length(addresses, count, i);
        if (n < loop.times / 2) /* of an outer loop, or before the loop */
            continue;
        if (loop.instructions++ == 0)
            loop.low = addresses[i];
        loop.high = addresses[i];
    }
    loop.found = loop.times >= TIMES_MIN;
    return loop;
}
