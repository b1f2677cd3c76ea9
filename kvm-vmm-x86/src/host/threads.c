/* Locks, condition variables, threads and kicks; see threads.h. */
#include "host/threads.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/fmt.h"

#define KICK_SIGNAL SIGUSR1

/* A nice value that gives about a tenth of another thread's share: it must not starve, since its
 * result is waited for at the end. */
enum { STEPPED_BACK = 10 };

static _Thread_local volatile unsigned char *kick_flag;

/* `limit` is for FUTEX_WAIT, relative; NULL: none. */
static void futex(unsigned *word, int operation, unsigned value, const struct timespec *limit)
{
    int before = errno; /* a caller may take a lock between a failed call and its report */

    (void)syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, limit, NULL, 0);
    errno = before;
}

/* A thread that has slept does not know whether others still sleep: it marks the lock as waited
 * for, so its release may wake one thread in vain. */
void lock_wait(struct lock *lock)
{
    while (__atomic_exchange_n(&lock->state, LOCK_WAITED_FOR, __ATOMIC_ACQUIRE) != LOCK_FREE)
        futex(&lock->state, FUTEX_WAIT, LOCK_WAITED_FOR, NULL);
}

void lock_wake(struct lock *lock)
{
    futex(&lock->state, FUTEX_WAKE, 1, NULL);
}

void condition_init(struct condition *condition)
{
    *condition = (struct condition){0};
}

/* The count is read before the lock is released. A wake between the release and the sleep changes
 * it, and then the kernel does not let the thread sleep. */
static void sleep_on(struct condition *condition, struct lock *lock, const struct timespec *limit)
{
    unsigned wakes = __atomic_load_n(&condition->wakes, __ATOMIC_RELAXED);

    condition->sleepers++;
    lock_release(lock);
    futex(&condition->wakes, FUTEX_WAIT, wakes, limit);
    lock_take(lock);
    condition->sleepers--;
}

void condition_wait(struct condition *condition, struct lock *lock)
{
    sleep_on(condition, lock, NULL);
}

void condition_wait_for(struct condition *condition, struct lock *lock, uint64_t limit)
{
    const struct timespec time = {.tv_sec = (time_t)(limit / 1000000000),
                                  .tv_nsec = (long)(limit % 1000000000)};

    sleep_on(condition, lock, &time);
}

void condition_wake_all(struct condition *condition)
{
    __atomic_fetch_add(&condition->wakes, 1, __ATOMIC_RELAXED);
    if (condition->sleepers > 0)
        futex(&condition->wakes, FUTEX_WAKE, INT_MAX, NULL);
}

/* Signals to the program are for the main thread, even if it reads them later: a thread that does
 * not block them would end the program or lose them. A thread gets only its own faults, and kicks.
 */
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

/* Formatting at each start uses fmt.h, since printf would load 130 KB of the C library's pages. */
void thread_name(const char *format, ...)
{
    char name[16];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(name, sizeof name, format, args);
    va_end(args);
    pthread_setname_np(pthread_self(), name);
}

/* Contrary to POSIX, Linux has a nice value for each thread: setpriority(2), "C library/kernel
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
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (flag == NULL)
        return;
    sigemptyset(&kick);
    sigaddset(&kick, KICK_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

void thread_kick(const struct thread *thread)
{
    pthread_kill(thread->id, KICK_SIGNAL);
}

/* A number that is never used again, unlike a thread ID of the kernel. */
static uint64_t number_of_thread(void)
{
    static _Thread_local uint64_t self;
    static uint64_t last;

    if (self == 0)
        self = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    return self;
}

/* Makes the timer for the calling thread (timer_create(2), SIGEV_THREAD_ID). */
static int make_timer(struct thread_ticks *ticks, struct error *error)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};

    thread_ticks_close(ticks);
    event._sigev_un._tid = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, &ticks->timer) < 0)
        return error_set(error, "cannot make a timer: %s", strerror(errno));
    ticks->thread = number_of_thread();
    return 0;
}

static void set_timer(const struct thread_ticks *ticks, uint64_t first, uint64_t every)
{
    const struct itimerspec times = {
        .it_value = {(time_t)(first / 1000000000), (long)(first % 1000000000)},
        .it_interval = {(time_t)(every / 1000000000), (long)(every % 1000000000)}};

    (void)timer_settime(ticks->timer, 0, &times, NULL);
}

int thread_ticks_begin(struct thread_ticks *ticks, uint64_t first, uint64_t every,
                       struct error *error)
{
    if (ticks->thread != number_of_thread() && make_timer(ticks, error) < 0)
        return -1;
    set_timer(ticks, first > 0 ? first : 1, every);
    return 0;
}

void thread_ticks_stop(struct thread_ticks *ticks)
{
    set_timer(ticks, 0, 0);
}

void thread_ticks_close(struct thread_ticks *ticks)
{
    if (ticks->thread != 0)
        timer_delete(ticks->timer);
    ticks->thread = 0;
}

unsigned thread_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
