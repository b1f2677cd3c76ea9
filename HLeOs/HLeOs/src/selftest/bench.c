/* See bench.h. Each figure is the median of several runs, so that a tick in one of them has no
 * effect. */
#include "selftest/bench.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/string.h"
#include "common/x86.h"
#include "fs/fs.h"
#include "fs/system.h"
#include "interrupt.h"
#include "iostream.h"
#include "kmalloc.h"
#include "process.h"
#include "thread.h"
#include "timer.h"

enum { RUNS = 15, PAIRS = 200, SWITCHES = 5000, LARGEST = 1 << 20, BLOCK = 40 };

/* Measures one run of `operations` operations. */
typedef uint64_t measure(void);

static uint64_t middle(measure *run)
{
    uint64_t values[RUNS];

    for (int i = 0; i < RUNS; i++) {
        uint64_t value = run();
        int at = i;

        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
    return values[RUNS / 2];
}

static uint64_t pairs(void)
{
    uint64_t start = x86_rdtsc();

    for (int i = 0; i < PAIRS; i++)
        kfree(kmalloc(BLOCK));
    return (x86_rdtsc() - start) / PAIRS;
}

/* Allocates all memory, in blocks of decreasing size. Each block contains the address of the one
 * before. */
static void **fill_heap(void)
{
    void **chain = NULL;

    for (size_t size = LARGEST; size >= BLOCK; size /= 2) {
        void **block;

        while ((block = kmalloc(size)) != NULL) {
            *block = chain;
            chain = block;
        }
    }
    return chain;
}

static void **free_one(void **chain)
{
    void **before = chain != NULL ? *chain : NULL;

    kfree(chain);
    return before;
}

/* Allocates two blocks at a time, with one hole at each end of the heap: a search would pass all
 * blocks in between. */
static uint64_t pairs_of_two(void)
{
    uint64_t start = x86_rdtsc();

    for (int i = 0; i < PAIRS; i++) {
        void *a = kmalloc(BLOCK), *b = kmalloc(BLOCK);

        kfree(a);
        kfree(b);
    }
    return (x86_rdtsc() - start) / PAIRS / 2;
}

/* The heap is empty except `first`, so that this is its lowest block. */
static uint64_t in_full_heap(bool far)
{
    void *first = kmalloc(BLOCK);
    void **chain = free_one(fill_heap());
    uint64_t value;

    if (far)
        kfree(first);
    value = middle(far ? pairs_of_two : pairs);
    if (!far)
        kfree(first);
    while (chain != NULL)
        chain = free_one(chain);
    return value;
}

static uint64_t full(void)
{
    return in_full_heap(false);
}

static uint64_t full_far(void)
{
    return in_full_heap(true);
}

static uint64_t empty(void)
{
    return middle(pairs);
}

static intptr_t yield_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < SWITCHES; i++)
        thread_yield();
    return 0;
}

/* Two threads yield to each other; the measuring thread waits meanwhile. */
static uint64_t run_switches(void)
{
    struct thread *a = thread_create("a", THREAD_PRIORITY_LOW, yield_often, NULL);
    struct thread *b = thread_create("b", THREAD_PRIORITY_LOW, yield_often, NULL);
    uint64_t before = thread_switch_count(), start = x86_rdtsc();

    if (a != NULL)
        thread_join(a);
    if (b != NULL)
        thread_join(b);
    return (x86_rdtsc() - start) / (thread_switch_count() - before + 1);
}

static void ignore(void *context)
{
    (void)context;
}

static uint64_t run_interrupts(void)
{
    uint64_t start = x86_rdtsc();

    for (int i = 0; i < PAIRS; i++)
        __asm__ volatile("int $0x50" : : : "memory");
    return (x86_rdtsc() - start) / PAIRS;
}

static uint64_t switches(void)
{
    return middle(run_switches);
}

static uint64_t interrupts(void)
{
    interrupt_attach(INTERRUPT_TEST, "bench", ignore, NULL);
    return middle(run_interrupts);
}

/* Opens a file of 100 bytes by its path, and reads or writes all of it, in the cache. Returns 0 if
 * there is no file system. */
static uint64_t use_file(bool writing)
{
    struct inode *root = system_fs() != NULL ? fs_root(system_fs()) : NULL, *file;
    uint64_t start = x86_rdtsc();
    char bytes[100] = "";

    for (int i = 0; root != NULL && i < PAIRS; i++) {
        if (fs_lookup(root, "/bench", &file) < 0)
            continue;
        if ((writing ? fs_write(file, 0, bytes, sizeof bytes)
                     : fs_read(file, 0, bytes, sizeof bytes)) < 0)
            start = 0;
        fs_release(file);
    }
    fs_release(root);
    return root != NULL ? (x86_rdtsc() - start) / PAIRS : 0;
}

static uint64_t run_file_read(void)
{
    return use_file(false);
}

static uint64_t run_file_write(void)
{
    return use_file(true);
}

static uint64_t file_read(void)
{
    return middle(run_file_read);
}

static uint64_t file_write(void)
{
    struct inode *root = system_fs() != NULL ? fs_root(system_fs()) : NULL;

    if (root == NULL || fs_create(root, "/bench", HLEOS_FS_FILE, 0, NULL) < 0)
        println("bench: no file to write");
    fs_release(root);
    return middle(run_file_write);
}

static uint64_t entry_tsc;
static uint64_t to_disks, to_prompt; /* time since the kernel's entry, before any measurement */

static uint64_t entry_to_disks(void)
{
    return to_disks;
}

static uint64_t entry_to_prompt(void)
{
    return to_prompt;
}

/* Runs a program that measures the system calls and prints the lines itself: all, or that of
 * `name`. */
static void of_programs(const char *name)
{
    const char *const argv[] = {"bench", name};
    struct process *process;

    if (process_start(name != NULL ? 2 : 1, argv, &process) == 0)
        process_wait(process);
}

struct figure {
    const char *name;
    measure *value;
};

static const struct figure figures[] = {
    {"entry_to_disks", entry_to_disks},
    {"entry_to_prompt", entry_to_prompt},
    {"calibration", timer_calibration_tsc},
    {"context_switch", switches},
    {"interrupt", interrupts},
    {"kmalloc_kfree_empty", empty},
    {"kmalloc_kfree_full", full},
    {"kmalloc_kfree_full_far", full_far},
    {"file_write", file_write},
    {"file_read", file_read},
};

void bench_mark_entry(void)
{
    entry_tsc = x86_rdtsc();
}

void bench_mark_disks(void)
{
    to_disks = x86_rdtsc() - entry_tsc;
}

void bench_run(const char *name)
{
    bool all = strcmp(name, "all") == 0;

    to_prompt = x86_rdtsc() - entry_tsc;
    of_programs(all ? NULL : name);
    for (unsigned i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (all || strcmp(name, figures[i].name) == 0)
            println("bench %s %lu", figures[i].name, figures[i].value());
}
