/* Locks, condition variables, threads and kicks; see threads.h. */
#include "host/threads.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define KICK_SIGNAL SIGUSR1

/* A tenth of what another thread gets: it must not starve, somebody waits for it in the end. */
enum { STEPPED_BACK = 10 };

static _Thread_local volatile unsigned char *kick_flag;

void lock_init(struct lock *lock)
{
    pthread_mutex_init(&lock->mutex, NULL);
}

void lock_take(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void lock_release(struct lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

void condition_init(struct condition *condition)
{
    pthread_cond_init(&condition->cond, NULL);
}

void condition_wait(struct condition *condition, struct lock *lock)
{
    pthread_cond_wait(&condition->cond, &lock->mutex);
}

void condition_wait_for(struct condition *condition, struct lock *lock, uint64_t limit)
{
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &end);
    limit += (uint64_t)end.tv_nsec;
    end.tv_sec += (time_t)(limit / 1000000000);
    end.tv_nsec = (long)(limit % 1000000000);
    pthread_cond_clockwait(&condition->cond, &lock->mutex, CLOCK_MONOTONIC, &end);
}

void condition_wake_all(struct condition *condition)
{
    pthread_cond_broadcast(&condition->cond);
}

/* What is sent to the program is for the main thread, also where that takes its signals later: a
 * thread that lets one through would end the program, or lose it. Faults of its own, and kicks,
 * reach a thread. */
int thread_start(struct thread *thread, void *(*run)(void *), void *argument, struct error *error)
{
    static const int own[] = {SIGSEGV, SIGBUS,  SIGILL, SIGFPE,
                              SIGABRT, SIGTRAP, SIGSYS, KICK_SIGNAL};
    sigset_t blocked, before;
    int code;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&blocked, own[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    code = pthread_create(&thread->id, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    return code == 0 ? 0 : error_set(error, "cannot start a thread: %s", strerror(code));
}

void thread_join(struct thread *thread)
{
    pthread_join(thread->id, NULL);
}

void thread_name(const char *format, ...)
{
    char name[16];
    va_list args;

    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    pthread_setname_np(pthread_self(), name);
}

/* Linux has a nice value for each thread, against POSIX: setpriority(2), "C library/kernel
 * differences". */
void thread_step_back(void)
{
    (void)setpriority(PRIO_PROCESS, 0, STEPPED_BACK);
}

void thread_nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void on_kick(int signal)
{
    (void)signal;
    if (kick_flag != NULL)
        *kick_flag = 1;
}

void thread_kicks_init(void)
{
    struct sigaction action = {.sa_handler =
                                   on_kick}; /* no SA_RESTART: blocking calls must return */

    sigaction(KICK_SIGNAL, &action, NULL);
}

void thread_kick_flag(volatile unsigned char *flag)
{
    sigset_t kick;

    kick_flag = flag;
    sigemptyset(&kick);
    sigaddset(&kick, KICK_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

void thread_kick(const struct thread *thread)
{
    pthread_kill(thread->id, KICK_SIGNAL);
}

unsigned thread_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
