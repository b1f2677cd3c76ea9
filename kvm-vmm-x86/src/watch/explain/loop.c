/* Where a guest turns round; see loop.h. */
#include "watch/explain/loop.h"

#include <stdlib.h>

/* A loop's head is seen this often at least, and so is each instruction of it, nearly. */
enum { TIMES_MIN = 8 };

static int by_value(const void *a, const void *b)
{
    const gva_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* How many of the sorted addresses from `i` on are alike. */
static size_t run_length(const gva_t *addresses, size_t count, size_t i)
{
    size_t n = 1;

    while (i + n < count && addresses[i + n] == addresses[i])
        n++;
    return n;
}

/* A run that begins or ends in mid-loop sees some instructions once more than others. */
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
        if (n < loop.times / 2) /* an outer loop's, or on the way in */
            continue;
        if (loop.instructions++ == 0)
            loop.low = addresses[i];
        loop.high = addresses[i];
    }
    loop.found = loop.times >= TIMES_MIN;
    return loop;
}
