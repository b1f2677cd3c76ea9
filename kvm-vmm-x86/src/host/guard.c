/* Lost pages of guest memory; see guard.h. sigaction(2), BUS_MCEERR_AR; madvise(2), MADV_HWPOISON.
 */
#include "host/guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "host/events.h"

enum { RANGES_MAX = 64, PAGE_BITS = 12, HUGE_BITS = 30 };

/* Read by a signal handler, which must not take locks: `start` is set last and cleared first. */
struct range {
    const void *owner; /* the guest memory or the file's bytes; NULL: free; atomic */
    uintptr_t start;   /* 0: not guarded yet; atomic */
    uint64_t size;
    gpa_t base;
    uint64_t lost; /* 1 + the offset of the first page that was lost; 0: none; atomic */
};

static struct range ranges[RANGES_MAX];
static bool handled; /* our handler is installed */
static struct sigaction previous;

static struct range *range_of(uintptr_t address)
{
    for (unsigned i = 0; i < RANGES_MAX; i++) {
        uintptr_t start = __atomic_load_n(&ranges[i].start, __ATOMIC_ACQUIRE);

        if (start != 0 && address - start < ranges[i].size)
            return &ranges[i];
    }
    return NULL;
}

/* Replaces lost memory by zeroes. For a memory error the host reports how much is lost; for a file
 * that became shorter it is one page. */
static void *map_zeroes(const struct range *range, uintptr_t address, const siginfo_t *info)
{
    bool told = info->si_code == BUS_MCEERR_AR || info->si_code == BUS_MCEERR_AO;
    unsigned bits = told && info->si_addr_lsb > PAGE_BITS && info->si_addr_lsb <= HUGE_BITS
                        ? (unsigned)info->si_addr_lsb
                        : PAGE_BITS;
    uintptr_t from = address >> bits << bits, to = from + ((uintptr_t)1 << bits);

    if (from < range->start)
        from = range->start;
    if (to > range->start + range->size)
        to = range->start + range->size;
    return mmap((void *)from, to - from, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

/* After the handler returns, the access is repeated and reads zeroes. What is not ours goes to the
 * handler that was there before. */
static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    uintptr_t address = (uintptr_t)info->si_addr;
    struct range *range = range_of(address);
    uint64_t none = 0;
    int saved = errno;

    (void)context;
    if (range == NULL || map_zeroes(range, address, info) == MAP_FAILED) {
        sigaction(signal_number, &previous, NULL);
        raise(signal_number); /* pending until this returns; no access repeats one that was sent */
        return;
    }
    __atomic_compare_exchange_n(&range->lost, &none, 1 + (address - range->start), false,
                                __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    events_wake();
    errno = saved;
}

void guard_init(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction old;

    handled = sigaction(SIGBUS, &action, &old) == 0;
    if (handled && old.sa_sigaction != on_bus_error)
        previous = old;
}

static bool add(const void *owner, const void *bytes, uint64_t size, gpa_t base)
{
    for (unsigned i = 0; i < RANGES_MAX; i++) {
        struct range *r = &ranges[i];
        const void *none = NULL;

        if (!__atomic_compare_exchange_n(&r->owner, &none, owner, false, __ATOMIC_RELAXED,
                                         __ATOMIC_RELAXED))
            continue;
        r->size = size;
        r->base = base;
        r->lost = 0;
        __atomic_store_n(&r->start, (uintptr_t)bytes, __ATOMIC_RELEASE); /* pairs: range_of */
        return true;
    }
    return false;
}

/* Removes all ranges of the owner. True: no page of them was lost. */
static bool remove_all(const void *owner)
{
    bool whole = true;

    for (unsigned i = 0; i < RANGES_MAX; i++) {
        if (__atomic_load_n(&ranges[i].owner, __ATOMIC_RELAXED) != owner)
            continue;
        __atomic_store_n(&ranges[i].start, 0, __ATOMIC_RELEASE);
        whole &= __atomic_load_n(&ranges[i].lost, __ATOMIC_ACQUIRE) == 0;
        __atomic_store_n(&ranges[i].owner, NULL, __ATOMIC_RELEASE);
    }
    return whole;
}

void guard_add(const struct memory *memory)
{
    for (unsigned i = 0; i < memory->count; i++)
        (void)add(memory, memory->slots[i].host, memory->slots[i].size, memory->slots[i].base);
}

void guard_remove(const struct memory *memory)
{
    (void)remove_all(memory);
}

bool guard_add_file(const void *bytes, size_t size)
{
    return handled && add(bytes, bytes, size, 0);
}

bool guard_remove_file(const void *bytes)
{
    return remove_all(bytes);
}

bool guard_lost(const struct memory *memory, gpa_t *at)
{
    for (unsigned i = 0; i < RANGES_MAX; i++) {
        uint64_t lost = __atomic_load_n(&ranges[i].lost, __ATOMIC_ACQUIRE);

        if (__atomic_load_n(&ranges[i].owner, __ATOMIC_RELAXED) != memory || lost == 0)
            continue;
        *at = ranges[i].base + lost - 1;
        return true;
    }
    return false;
}

bool guard_cut_short(const struct memory *memory, gpa_t *at)
{
    struct stat file;

    for (unsigned i = 0; i < memory->count; i++) {
        const struct memory_slot *slot = &memory->slots[i];
        uint64_t end;

        if (slot->fd < 0 || fstat(slot->fd, &file) < 0)
            continue;
        end = ((uint64_t)file.st_size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
        if (end >= slot->offset + slot->size)
            continue;
        *at = slot->base + (end > slot->offset ? end - slot->offset : 0);
        return true;
    }
    return false;
}
