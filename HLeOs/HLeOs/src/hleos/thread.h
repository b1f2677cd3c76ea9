/*
 * Kernel threads: preemptive, eight priorities, round robin among equals. Mutexes and the like are
 * thread/sync.h; the scheduler itself is thread/sched.h.
 */
#ifndef HLEOS_THREAD_H
#define HLEOS_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct process;
struct space;
struct thread;

enum {
    THREAD_PRIORITY_LOW = 2,
    THREAD_PRIORITY_NORMAL = 4,
    THREAD_PRIORITY_HIGH = 6,
    THREAD_PRIORITIES = 8, /* 0 is the idle thread's */
};

enum { THREAD_NAME_MAX = 16, THREAD_SLICE_MS = 10 };

/* What thread_join() returns for a thread that a fault ended: this plus the exception's vector;
 * EXCEPTION_DF for a stack overflow. */
#define THREAD_FAULTED ((intptr_t)1 << 32)
/* What it returns at once for a thread that cannot be joined. */
#define THREAD_NOT_JOINED ((intptr_t)1 << 33)

typedef intptr_t thread_entry(void *argument);

/* Makes the running code the boot processor's idle thread. An idle thread runs only on its
 * processor. */
void thread_init(void);
/* Makes the idle thread of a processor before its start; false: out of memory. Does nothing if it
 * has one. */
bool thread_prepare_idle(struct cpu *cpu) __attribute__((warn_unused_result));
/* The loop of an idle thread: halts until a thread is ready. Does not return. */
void thread_idle(void) __attribute__((noreturn));

/* A new thread, ready to run; a thread that returns from its entry ends with the value returned.
 * NULL if memory is out, or if the priority is not one from 1 to THREAD_PRIORITIES - 1. Every
 * thread is joined, or detached, once. */
struct thread *thread_create(const char *name, int priority, thread_entry *entry, void *argument)
    __attribute__((warn_unused_result));
/* Waits until the thread ends; its result. THREAD_NOT_JOINED if the wait could not end, or is not
 * allowed: for the caller itself, for a thread that waits to join the caller, directly or through
 * others, and for one that is detached, joined by another thread, or has been freed. */
intptr_t thread_join(struct thread *thread);
void thread_detach(struct thread *thread);
void thread_exit(intptr_t result) __attribute__((noreturn));

void thread_yield(void);
void thread_sleep_ms(uint64_t ms);
/* Until timer_now() reaches `when`, never less. */
void thread_sleep_until(uint64_t when);

/* Makes the calling thread run a program in that space; the caller owns `process`. NULL: it no
 * longer runs a program. */
void thread_enter_space(const struct space *space, struct process *process);
/* Sets the function that ends a program's thread after a fault, with its vector or
 * HANDLER_INTERRUPTED (interrupt/handler.h). It runs in that thread. */
void thread_attach_programs(void (*end)(uint64_t vector) __attribute__((noreturn)));
/* Of the calling thread; NULL if it runs no program. */
struct process *thread_process(void);

/* Asks a program's thread to end: its interruptible waits end, now and later, and it ends before it
 * returns to ring 3, or at the next tick there. */
void thread_interrupt(struct thread *thread);
/* Whether the calling thread has been asked to end. */
bool thread_interrupted(void);
/* Like thread_sleep_ms(); false if it was interrupted. */
bool thread_sleep_interruptible(uint64_t ms) __attribute__((warn_unused_result));

void thread_rename(const char *name);
struct thread *thread_current(void);
const char *thread_name(const struct thread *thread);
/* Its current priority: its own, or a higher one lent to it. */
int thread_priority(const struct thread *thread);

struct thread_info {
    char name[THREAD_NAME_MAX];
    unsigned id;
    int priority;
    const char *state;
    uint64_t switches; /* times it was given the processor */
    uint64_t ticks;    /* milliseconds it had it, sampled */
};

/* The `index`th thread there is now; false beyond the last. */
bool thread_info(unsigned index, struct thread_info *info);
uint64_t thread_switch_count(void);

#endif
