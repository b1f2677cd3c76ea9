/*
 * The jobs of the demonstration: two threads that greet, one that echoes what is typed, one that
 * computes, one that blinks the cursor. Each is an ordinary thread; together they scroll the
 * screen.
 */
#include "shell/jobs.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/string.h"
#include "iostream.h"
#include "thread.h"
#include "timer.h"
#include "vga.h"

enum { GREETINGS = 16, GREETING_MS = 60, DEMO_MS = 1000, BLINK_MS = 250, KEY_POLL_MS = 10 };
enum { LAST_NUMBER = 20000 };

struct greeting {
    const char *word;
    int colour;
};

static intptr_t greet(void *argument)
{
    const struct greeting *g = argument;

    for (int i = 1; i <= GREETINGS; i++) {
        println("\033[%dm%s\033[0m (%d of %d)", g->colour, g->word, i, GREETINGS);
        thread_sleep_ms(GREETING_MS);
    }
    return 0;
}

static intptr_t hello(void *argument)
{
    struct greeting g = {"Hello!", 32};

    (void)argument;
    return greet(&g);
}

static intptr_t hi(void *argument)
{
    struct greeting g = {"Hi!", 35};

    (void)argument;
    return greet(&g);
}

/* Polls for keys during the demonstration, and prints each. */
static intptr_t echo(void *argument)
{
    uint64_t end = timer_now() + DEMO_MS * TIMER_NS_PER_MS;
    int keys = 0;

    (void)argument;
    while (timer_now() < end) {
        int key = iostream_try_getch();

        if (key >= ' ' && key < 127)
            println("echo: '%c'", key);
        else if (key > 0)
            println("echo: key %#x", key);
        keys += key > 0;
        thread_sleep_ms(KEY_POLL_MS);
    }
    println("echo: %d keys", keys);
    return 0;
}

/* Computes without a sleep: the other jobs run only by preemption. */
static intptr_t compute(void *argument)
{
    unsigned primes = 0;

    (void)argument;
    for (unsigned n = 2; n < LAST_NUMBER; n++) {
        bool prime = true;

        for (unsigned d = 2; d * d <= n && prime; d++)
            prime = n % d != 0;
        primes += prime;
    }
    println("C job: %u primes below %u", primes, LAST_NUMBER);
    return (intptr_t)primes;
}

static intptr_t blink(void *argument)
{
    uint64_t end = timer_now() + DEMO_MS * TIMER_NS_PER_MS;

    (void)argument;
    for (bool on = false; timer_now() < end; on = !on) {
        vga_show_cursor(on);
        thread_sleep_ms(BLINK_MS);
    }
    vga_show_cursor(true);
    return 0;
}

static const struct job {
    const char *name;
    thread_entry *entry;
    const char *help;
} jobs[] = {
    {"hello", hello, "prints Hello!"},
    {"hi", hi, "prints Hi!"},
    {"echo", echo, "shows the keys that are typed"},
    {"c", compute, "counts primes"},
    {"cursor", blink, "blinks the cursor"},
};

enum { JOBS = sizeof jobs / sizeof jobs[0] };

void jobs_run_all(void)
{
    struct thread *threads[JOBS];

    for (unsigned i = 0; i < JOBS; i++)
        threads[i] = thread_create(jobs[i].name, THREAD_PRIORITY_NORMAL, jobs[i].entry, NULL);
    for (unsigned i = 0; i < JOBS; i++) {
        if (threads[i] != NULL)
            thread_join(threads[i]);
        else
            println("%s: no memory", jobs[i].name);
    }
}

int jobs_run(const char *name)
{
    for (unsigned i = 0; i < JOBS; i++) {
        struct thread *thread;

        if (strcmp(jobs[i].name, name) != 0)
            continue;
        thread = thread_create(name, THREAD_PRIORITY_NORMAL, jobs[i].entry, NULL);
        if (thread == NULL)
            println("%s: no memory", name);
        else
            thread_join(thread);
        return 0;
    }
    return -1;
}

void jobs_list(void)
{
    for (unsigned i = 0; i < JOBS; i++)
        println("  %-8s %s", jobs[i].name, jobs[i].help);
}
