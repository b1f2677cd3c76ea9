/* The main thread's event loop; see events.h. */
#include "host/events.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 16, LOOK_MS = 50 };

static struct {
    int epoll, wake, signals;
    struct event_source wake_source, signal_source;
    struct event_source *always; /* sources that are always ready */
    struct event_timer *timers;  /* running timers */
    struct epoll_event batch[BATCH];
    int batch_count;
    uint64_t patience; /* written by the main thread alone; atomic */
    pthread_t thread;  /* the main thread */
    void (*handle)(int signal);
} events = {.epoll = -1, .wake = -1, .signals = -1, .patience = EVENTS_FOREVER};

void events_leave(void)
{
    memset(&events, 0, sizeof events);
    events.epoll = events.wake = events.signals = -1;
    events.patience = EVENTS_FOREVER;
}

static void on_wake(void *context)
{
    uint64_t count;

    (void)context;
    if (read(events.wake, &count, sizeof count) < 0)
        return; /* another round has read it already */
}

static void on_signals(void *context)
{
    struct signalfd_siginfo info;

    (void)context;
    while (read(events.signals, &info, sizeof info) == (ssize_t)sizeof info)
        events.handle((int)info.ssi_signo);
}

int events_init(struct error *error)
{
    events.thread = pthread_self();
    events.epoll = epoll_create1(EPOLL_CLOEXEC);
    events.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (events.epoll < 0 || events.wake < 0)
        return error_set(error, "cannot wait for events: %s", strerror(errno));
    events.wake_source = (struct event_source){.fd = events.wake, .ready = on_wake};
    events_want(&events.wake_source, EVENTS_READ);
    signal(SIGPIPE, SIG_IGN); /* a closed reader is an error of write(2) instead */
    signal(SIGXFSZ, SIG_IGN); /* so is a file at its size limit */
    return 0;
}

int events_take_signals(void (*handle)(int signal), struct error *error)
{
    static const int handled[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                                  SIGTSTP, SIGCONT, SIGPWR, SIGWINCH};
    struct sigaction old;
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        if (sigaction(handled[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaddset(&set, handled[i]);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return error_set(error, "cannot block signals");
    events.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (events.signals < 0)
        return error_set(error, "cannot wait for signals: %s", strerror(errno));
    events.handle = handle;
    events.signal_source = (struct event_source){.fd = events.signals, .ready = on_signals};
    events_want(&events.signal_source, EVENTS_READ);
    return 0;
}

static void link_always(struct event_source *source, bool wanted)
{
    struct event_source **at = &events.always;

    while (*at != NULL && *at != source)
        at = &(*at)->next;
    if (wanted && *at == NULL) {
        source->next = NULL;
        *at = source;
    } else if (!wanted && *at != NULL) {
        *at = source->next;
    }
}

/* Drops events for the source from the batch in progress. */
static void forget(const struct event_source *source)
{
    for (int i = 0; i < events.batch_count; i++)
        if (events.batch[i].data.ptr == source)
            events.batch[i].data.ptr = NULL;
}

/* A source without interest is removed from epoll, which would otherwise report a hang-up of it for
 * ever. A descriptor that epoll refuses (a regular file, /dev/null) is always ready. */
void events_want(struct event_source *source, unsigned interest)
{
    struct epoll_event event = {.data.ptr = source,
                                .events = (interest & EVENTS_READ ? EPOLLIN : 0) |
                                          (interest & EVENTS_WRITE ? EPOLLOUT : 0)};
    int operation = interest == 0           ? EPOLL_CTL_DEL
                    : source->interest == 0 ? EPOLL_CTL_ADD
                                            : EPOLL_CTL_MOD;

    if (interest == source->interest)
        return;
    if (interest == 0)
        forget(source);
    if (!source->always && epoll_ctl(events.epoll, operation, source->fd, &event) < 0)
        source->always = interest != 0;
    source->interest = interest;
    if (source->always)
        link_always(source, interest != 0);
    source->always = source->always && interest != 0; /* epoll is tried again the next time */
}

void events_timer_start(struct event_timer *timer, uint64_t after)
{
    uint64_t now = events_now();

    events_timer_stop(timer);
    timer->due = after < UINT64_MAX - now ? now + after : UINT64_MAX;
    timer->running = true;
    timer->next = events.timers;
    events.timers = timer;
}

void events_timer_stop(struct event_timer *timer)
{
    struct event_timer **at = &events.timers;

    if (!timer->running)
        return;
    while (*at != timer)
        at = &(*at)->next;
    *at = timer->next;
    timer->running = false;
}

static struct event_timer *first_due(void)
{
    struct event_timer *first = events.timers;

    for (struct event_timer *t = events.timers; t != NULL; t = t->next)
        if (t->due < first->due)
            first = t;
    return first;
}

/* Runs the timers that expire now. A timer that its own callback restarts waits for the next round.
 */
static void run_timers(void)
{
    uint64_t now = events_now();
    struct event_timer *timer;

    while ((timer = first_due()) != NULL && timer->due <= now) {
        events_timer_stop(timer);
        timer->expired(timer->context);
    }
}

/* Rounded up, so that the loop does not spin until a timer that is due in less than a millisecond.
 */
static int timeout_ms(uint64_t limit)
{
    const struct event_timer *timer = first_due();
    uint64_t now = events_now();

    if (events.always != NULL)
        return 0;
    if (timer != NULL && (timer->due <= now || timer->due - now < limit))
        limit = timer->due <= now ? 0 : timer->due - now;
    if (limit == EVENTS_FOREVER)
        return -1;
    return limit / 1000000 >= 3600000 ? 3600000 : (int)((limit + 999999) / 1000000);
}

void events_run(uint64_t limit)
{
    struct event_source *source, *next;

    events.batch_count = epoll_wait(events.epoll, events.batch, BATCH, timeout_ms(limit));
    for (int i = 0; i < events.batch_count; i++) {
        source = events.batch[i].data.ptr;
        if (source != NULL)
            source->ready(source->context);
    }
    events.batch_count = 0;
    for (source = events.always; source != NULL; source = next) {
        next = source->next; /* the callback may remove it from the list */
        source->ready(source->context);
    }
    run_timers();
}

void events_wake(void)
{
    uint64_t one = 1;

    if (write(events.wake, &one, sizeof one) < 0)
        return; /* the counter is full: the loop wakes up anyway */
}

void events_set_patience(uint64_t nanoseconds)
{
    if (nanoseconds < events.patience)
        __atomic_store_n(&events.patience, nanoseconds, __ATOMIC_RELAXED);
}

uint64_t events_take_patience(uint64_t nanoseconds)
{
    uint64_t left = __atomic_load_n(&events.patience, __ATOMIC_RELAXED);
    uint64_t taken = nanoseconds < left ? nanoseconds : left;

    if (left != EVENTS_FOREVER)
        events_set_patience(left - taken);
    return taken;
}

bool events_is_hurried(void)
{
    return __atomic_load_n(&events.patience, __ATOMIC_RELAXED) != EVENTS_FOREVER;
}

bool events_is_given_up(void)
{
    return events.patience == 0;
}

bool events_run_patiently(uint64_t limit)
{
    uint64_t begun = events_now(), spent;
    bool limited = events.patience != EVENTS_FOREVER;

    if (events.patience == 0)
        return false;
    events_run(limit < events.patience ? limit : events.patience);
    spent = events_now() - begun;
    if (limited)
        events_set_patience(spent < events.patience ? events.patience - spent : 0);
    return true;
}

static void set_true(void *context)
{
    *(bool *)context = true;
}

/* Waits in a thread that has no event loop. False: the program has been told to end. */
static bool await_elsewhere(int fd, unsigned interest)
{
    struct pollfd poll_fd = {.fd = fd, .events = interest & EVENTS_READ ? POLLIN : POLLOUT};

    while (!events_is_hurried())
        if (poll(&poll_fd, 1, LOOK_MS) > 0)
            return true;
    return false;
}

bool events_await(int fd, unsigned interest)
{
    bool ready = false, patient = true;
    struct event_source source = {.fd = fd, .ready = set_true, .context = &ready};

    if (!pthread_equal(pthread_self(), events.thread))
        return await_elsewhere(fd, interest);
    events_want(&source, interest);
    while (!ready && patient)
        patient = events_run_patiently(EVENTS_FOREVER);
    events_want(&source, 0);
    return ready;
}

const char *events_signal_name(int signal)
{
    const char *name = sigabbrev_np(signal);

    return name != NULL ? name : "?";
}

void events_stop_process(void)
{
    raise(SIGSTOP);
}

uint64_t events_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
