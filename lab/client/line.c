/* See line.h. A client takes a line by a lock on a file beside the line's socket; the lock ends
 * with the process that holds it. QEMU accepts one connection at a time on each socket. The machine
 * may stop at any time (it does so when unused). So if the stream ends before the agent's WELCOME,
 * the client starts the machine and tries again. */
#include "lab/client/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SILENCE_MS   10000 /* without an answer, before the user is told */
#define START_TRIES  10
#define BUSY_PERIOD  50000
#define START_PERIOD 200000 /* a machine that is stopping still has its sockets */

/* Runs the script with a verb. Its output goes to standard error: standard output is the
 * command's. */
static int run_script(const struct line_options *options, const char *verb)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl(options->script, options->script, verb, (char *)NULL);
        fprintf(stderr, "lab: cannot run %s: %s\n", options->script, strerror(errno));
        _exit(125);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

static void tell_silence(const struct line_options *options)
{
    fprintf(stderr,
            "lab: the machine does not answer; it is restarted after %d s (lab/lab down: now)\n",
            options->wait);
}

/* Connects; waits at most `ms` for room in the socket's queue. 0, or a negative errno. */
static int connect_within(int fd, const struct sockaddr_un *address, int ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    return connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ? -errno : 0;
}

/* -ETIMEDOUT: the machine accepts no clients, and earlier ones, now gone, fill the queue. */
static int connect_socket(const char *path, const struct line_options *options)
{
    int wait = options->wait * 1000, code;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    code = connect_within(fd, &address, wait < SILENCE_MS ? wait : SILENCE_MS);
    if (code == -EAGAIN && wait > SILENCE_MS) {
        tell_silence(options);
        code = connect_within(fd, &address, wait - SILENCE_MS);
    }
    if (code != 0) {
        close(fd);
        return code == -EAGAIN ? -ETIMEDOUT : code;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* -EBUSY if all lines are taken, -ENOENT if there is no machine. The lock lasts as long as this
 * process. */
static int take_line(const struct line_options *options)
{
    char path[512];

    for (unsigned i = 0; i < options->lines; i++) {
        int lock, fd;

        snprintf(path, sizeof(path), "%s/line%u.lock", options->directory, i);
        lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock < 0)
            return -errno;
        if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
            close(lock);
            continue;
        }
        snprintf(path, sizeof(path), "%s/line%u", options->directory, i);
        fd = connect_socket(path, options);
        if (fd < 0)
            close(lock);
        return fd == -ECONNREFUSED ? -ENOENT : fd;
    }
    return -EBUSY;
}

static int wait_for_line(const struct line_options *options)
{
    bool told = false;
    int fd;

    while ((fd = take_line(options)) == -EBUSY) {
        if (!told)
            fprintf(stderr, "lab: %u commands are running, waiting for one to end\n",
                    options->lines);
        told = true;
        usleep(BUSY_PERIOD);
    }
    return fd;
}

struct greeting {
    uint64_t nonce;
    bool welcome;
    uint32_t build;
};

static int on_greeting(void *context, uint8_t kind, const uint8_t *payload, size_t length)
{
    struct greeting *greeting = context;
    struct message_welcome welcome;

    if (kind != MESSAGE_WELCOME || length != sizeof(welcome))
        return 0;
    memcpy(&welcome, payload, length);
    if (welcome.nonce == greeting->nonce) {
        greeting->welcome = true;
        greeting->build = welcome.build;
    }
    return 0;
}

int64_t line_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void line_note_stop(const struct line_options *options, const char *why)
{
    char path[512];
    FILE *record;

    snprintf(path, sizeof(path), "%s/stopped", options->directory);
    record = fopen(path, "ae");
    if (record) {
        fprintf(record, "%lld %s\n", (long long)time(NULL), why);
        fclose(record);
    }
    fprintf(stderr, "lab: %s\n", why);
}

int line_restart(const struct line_options *options, const char *why)
{
    line_note_stop(options, why);
    return run_script(options, "down");
}

/* Waits for data on the line, at most until `end`. After a while without an answer it tells the
 * user. */
static int wait_for_answer(struct wire *wire, int64_t end, const struct line_options *options,
                           bool *told)
{
    struct pollfd ready = {.fd = wire->fd, .events = POLLIN};
    int64_t now = line_now_ms();
    int64_t start = end - (int64_t)options->wait * 1000;
    int64_t next = *told || start + SILENCE_MS > end ? end : start + SILENCE_MS;

    if (now >= end)
        return -ETIMEDOUT;
    if (now >= next && !*told) {
        tell_silence(options);
        *told = true;
        next = end;
    }
    if (wire_pending(wire))
        ready.events |= POLLOUT;
    return poll(&ready, 1, (int)(next - now)) > 0 ? ready.revents & ~POLLOUT : 0;
}

/* Sends HELLO. 0 after the WELCOME, -ESTALE if the machine's agent is another build, -EPIPE if the
 * machine has stopped, -ETIMEDOUT if it does not answer. */
static int greet(struct wire *wire, struct message_hello *hello, const struct line_options *options)
{
    struct greeting greeting = {0};
    int64_t end = line_now_ms() + (int64_t)options->wait * 1000;
    bool told = false;

    if (getrandom(&hello->nonce, sizeof(hello->nonce), 0) != sizeof(hello->nonce))
        return -EIO;
    greeting.nonce = hello->nonce;
    wire_resync(wire);
    if (wire_send(wire, MESSAGE_HELLO, hello, sizeof(*hello), NULL, 0) < 0)
        return -EIO;
    while (!greeting.welcome) {
        int code;

        if (wire_flush(wire) < 0)
            return -EPIPE;
        code = wait_for_answer(wire, end, options, &told);
        if (code < 0)
            return code;
        if (code > 0 && wire_receive(wire, on_greeting, &greeting) < 0)
            return -EPIPE;
    }
    return greeting.build == LAB_BUILD ? 0 : -ESTALE;
}

/* One attempt: a line, a connection, a greeting. */
static int try_once(const struct line_options *options, struct message_hello *hello,
                    struct wire *wire)
{
    int fd = wait_for_line(options);
    int code;

    if (fd < 0)
        return fd;
    wire_init(wire, fd);
    code = greet(wire, hello, options);
    if (code < 0)
        close(fd);
    return code;
}

int line_open(const struct line_options *options, struct message_hello *hello, struct wire *wire)
{
    int code = -ENOENT;

    for (int i = 0; i < START_TRIES; i++) {
        code = try_once(options, hello, wire);
        if (code == 0)
            return 0;
        if (code == -ETIMEDOUT &&
            line_restart(options, "the machine does not answer, restarting it") < 0)
            return code;
        if (code == -ESTALE) {
            fprintf(stderr, "lab: the machine runs an older lab, restarting it\n");
            if (run_script(options, "down") < 0)
                return code;
        }
        if (run_script(options, "up") < 0)
            return -ECHILD; /* the script has printed the reason */
        if (i > 0)
            usleep(START_PERIOD);
    }
    fprintf(stderr, "lab: cannot connect to the machine: %s\n", strerror(-code));
    return code;
}
