/* The JUnit report; see junit.h. */
#include "run/junit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* KEPT: bytes kept from the end of the output; PIECE: bytes that a pipe takes without blocking
 * (PIPE_BUF). */
enum { KEPT = 64 * 1024, PIECE = 4096, TOLD_MAX = 160, FAILED = 125, LIMIT = 124 };

/* Output that is passed on from the child to its usual destination. */
struct flow {
    int from, to; /* -1: closed */
    size_t at, used;
    uint8_t bytes[PIECE];
    uint64_t total;
    uint8_t kept[KEPT]; /* a ring of the newest */
};

static int tell_fd = -1; /* of the child */

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* If the reader is gone, closes the pipe, so that the child gets SIGPIPE as usual. */
static void move(struct flow *f)
{
    ssize_t n;

    if (f->used > 0) {
        n = write(f->to, f->bytes + f->at, f->used);
        if (n > 0) {
            f->at += (size_t)n;
            f->used -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            f->used = 0;
            shut(&f->from);
        }
        return;
    }
    n = read(f->from, f->bytes, sizeof f->bytes);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            shut(&f->from);
        return;
    }
    f->at = 0;
    f->used = (size_t)n;
    for (ssize_t i = 0; i < n; i++)
        f->kept[f->total++ % KEPT] = f->bytes[i];
}

/* --- XML --- */

/* XML 1.0 cannot have control characters, not even as references, and its text is UTF-8. */
static size_t put_character(FILE *out, const uint8_t *at, size_t left)
{
    static const uint8_t leads[] = {0x80, 0xc2, 0xe0, 0xf0, 0xf5};
    size_t length = 1, i = 1;

    if (*at < 0x80) {
        if (*at == '<' || *at == '>' || *at == '&' || *at == '"')
            fprintf(out, "&#%d;", *at);
        else if (*at == '\n' || *at == '\t' || *at == '\r' || (*at >= 0x20 && *at != 0x7f))
            fputc(*at, out);
        else
            fputc('?', out);
        return 1;
    }
    while (length < 4 && *at >= leads[length])
        length++;
    while (i < length && i < left && (at[i] & 0xc0) == 0x80)
        i++;
    /* Incomplete, no lead byte, overlong, a surrogate, beyond U+10FFFF, or a noncharacter. */
    if (i < length || length == 1 || *at >= leads[4] || (*at == 0xe0 && at[1] < 0xa0) ||
        (*at == 0xed && at[1] >= 0xa0) || (*at == 0xf0 && at[1] < 0x90) ||
        (*at == 0xf4 && at[1] >= 0x90) || (*at == 0xef && at[1] == 0xbf && at[2] >= 0xbe)) {
        fputc('?', out);
        return 1;
    }
    fwrite(at, 1, length, out);
    return length;
}

static void put_text(FILE *out, const void *text, size_t size)
{
    const uint8_t *bytes = text;

    for (size_t i = 0; i < size;)
        i += put_character(out, bytes + i, size - i);
}

/* The end of the output: `size` bytes of `total`. */
static void put_kept(FILE *out, const char *element, const uint8_t *bytes, size_t size,
                     uint64_t total)
{
    if (size == 0)
        return;
    fprintf(out, "    <%s>", element);
    if (total > size)
        fprintf(out, "[%llu bytes before these are left out]\n",
                (unsigned long long)(total - size));
    put_text(out, bytes, size);
    fprintf(out, "</%s>\n", element);
}

static void put_flow(FILE *out, const char *element, const struct flow *f)
{
    static uint8_t bytes[KEPT];
    size_t size = f->total < KEPT ? (size_t)f->total : KEPT;

    for (size_t i = 0; i < size; i++)
        bytes[i] = f->kept[(f->total - size + i) % KEPT];
    put_kept(out, element, bytes, size, f->total);
}

static void put_file(FILE *out, const char *element, int fd)
{
    static uint8_t bytes[KEPT];
    off_t total = lseek(fd, 0, SEEK_END);
    ssize_t n = total > 0 ? pread(fd, bytes, KEPT, total > KEPT ? total - KEPT : 0) : 0;

    put_kept(out, element, bytes, n > 0 ? (size_t)n : 0, total > 0 ? (uint64_t)total : 0);
}

static void put_verdict(FILE *out, int status, bool of_command)
{
    if (of_command && status == 0)
        return;
    if (of_command && status > 128 && status <= 128 + SIGRTMAX)
        fprintf(out, "    <failure message=\"ended by signal %d\"/>\n", status - 128);
    else if (of_command)
        fprintf(out, "    <failure message=\"exited with status %d\"/>\n", status);
    else
        fprintf(out, "    <error message=\"%s (status %d)\"/>\n",
                status == LIMIT    ? "stopped by --timeout"
                : status == FAILED ? "the VMM or the kernel failed"
                                   : "the machine did not run to its end",
                status);
}

static void put_head(FILE *out, size_t tests, size_t failures, size_t errors, double seconds,
                     time_t began, const char *kernel)
{
    char stamp[32];
    struct tm utc;

    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", gmtime_r(&began, &utc));
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"kvm-vmm run\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
            "skipped=\"0\" time=\"%.3f\" timestamp=\"%s\">\n"
            "  <properties><property name=\"kernel\" value=\"",
            tests, failures, errors, seconds, stamp);
    put_text(out, kernel, strlen(kernel));
    fprintf(out, "\"/></properties>\n");
}

static void put_case(FILE *out, const char *name, double seconds, int status, bool of_command)
{
    fprintf(out, "  <testcase classname=\"kvm-vmm.run\" name=\"");
    put_text(out, name, strlen(name));
    fprintf(out, "\" time=\"%.3f\">\n", seconds);
    put_verdict(out, status, of_command);
}

static int put_report(FILE *out, const struct junit *junit, const struct flow flows[2], int status,
                      const char *told, time_t began, double seconds)
{
    bool of_command = told[0] == 'c';

    put_head(out, 1, of_command && status != 0, !of_command, seconds, began,
             told[0] != '\0' ? told + 1 : "");
    put_case(out, junit->name, seconds, status, of_command);
    put_flow(out, "system-out", &flows[0]);
    put_flow(out, "system-err", &flows[1]);
    fprintf(out, "  </testcase>\n</testsuite>\n");
    return fclose(out);
}

/* --- several cases --- */

static struct {
    const char *path;
    FILE *report, *cases; /* `cases` is in memory (text, size) */
    char *text;
    size_t size;
    size_t tests, failures, errors;
    struct timespec began;
    time_t date;
} junit_suite;

int junit_open(const char *path, struct error *error)
{
    junit_suite.path = path;
    junit_suite.report = fopen(path, "we");
    if (junit_suite.report == NULL)
        return error_set(error, "--output junit:%s: %s", path, strerror(errno));
    junit_suite.cases = open_memstream(&junit_suite.text, &junit_suite.size);
    if (junit_suite.cases == NULL)
        return error_set(error, "--output: out of memory");
    junit_suite.date = time(NULL);
    clock_gettime(CLOCK_MONOTONIC, &junit_suite.began);
    return 0;
}

void junit_case(const char *name, int status, bool of_command, double seconds, const int files[2])
{
    junit_suite.tests++;
    junit_suite.failures += of_command && status != 0;
    junit_suite.errors += !of_command;
    put_case(junit_suite.cases, name, seconds, status, of_command);
    put_file(junit_suite.cases, "system-out", files[0]);
    put_file(junit_suite.cases, "system-err", files[1]);
    fprintf(junit_suite.cases, "  </testcase>\n");
}

int junit_close(const char *kernel, size_t missed, struct error *error)
{
    struct timespec now;

    if (missed > 0) {
        junit_suite.tests++;
        junit_suite.errors++;
        fprintf(junit_suite.cases,
                "  <testcase classname=\"kvm-vmm.run\" name=\"the rest\" time=\"0\">\n"
                "    <error message=\"the run ended before %zu lines\"/>\n  </testcase>\n",
                missed);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (fclose(junit_suite.cases) == 0) {
        put_head(junit_suite.report, junit_suite.tests, junit_suite.failures, junit_suite.errors,
                 (double)(now.tv_sec - junit_suite.began.tv_sec) +
                     (double)(now.tv_nsec - junit_suite.began.tv_nsec) / 1e9,
                 junit_suite.date, kernel);
        fwrite(junit_suite.text, 1, junit_suite.size, junit_suite.report);
        fprintf(junit_suite.report, "</testsuite>\n");
        free(junit_suite.text);
        if (fclose(junit_suite.report) == 0)
            return 0;
    }
    return error_set(error, "--output junit:%s: %s", junit_suite.path, strerror(errno));
}

/* --- the parent --- */

/* Signals that end or inform a program are passed to the child. */
static int take_signals(sigset_t *before)
{
    static const int passed[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                                 SIGUSR2, SIGPWR,  SIGCONT, SIGCHLD};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        sigaddset(&set, passed[i]);
    sigprocmask(SIG_BLOCK, &set, before);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Gives the terminal to the child if this process is in the foreground. */
static void lend_terminal(pid_t child)
{
    if (tcgetpgrp(STDIN_FILENO) == getpgrp())
        tcsetpgrp(STDIN_FILENO, child);
}

/* If the child stops (it reads its terminal in the background), this process stops too: the shell
 * reports it and continues both. SIGSTOP, because SIGTTIN has no effect when the shell is gone. */
static bool is_over(pid_t child, int *status)
{
    int how;

    if (waitpid(child, &how, WNOHANG | WUNTRACED) != child)
        return false;
    if (WIFSTOPPED(how)) {
        raise(SIGSTOP);
        lend_terminal(child);
        kill(child, SIGCONT);
        return false;
    }
    *status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return true;
}

/* Passes signals to the child (0: it has ended). Returns whether one of them ends a program. */
static bool pass_signals(int signals, pid_t child)
{
    struct signalfd_siginfo news;
    bool ends = false;

    while (read(signals, &news, sizeof news) == sizeof news) {
        if (news.ssi_signo != SIGCHLD && child != 0)
            kill(child, (int)news.ssi_signo);
        ends |= news.ssi_signo == SIGINT || news.ssi_signo == SIGTERM || news.ssi_signo == SIGHUP ||
                news.ssi_signo == SIGQUIT;
    }
    return ends;
}

/* Runs until the child has ended and all its output is passed on. A signal after the child's end
 * drops the rest, since its reader may never take it. */
static int accompany(pid_t child, int signals, struct flow flows[2])
{
    bool over = false;
    int status = FAILED;

    while (!over || flows[0].from >= 0 || flows[1].from >= 0 || flows[0].used + flows[1].used > 0) {
        struct pollfd fds[3] = {{.fd = signals, .events = POLLIN}};

        for (int i = 0; i < 2; i++)
            fds[1 + i] = flows[i].used > 0 ? (struct pollfd){.fd = flows[i].to, .events = POLLOUT}
                                           : (struct pollfd){.fd = flows[i].from, .events = POLLIN};
        if (poll(fds, 3, -1) < 0)
            continue; /* a signal that is not blocked */
        for (int i = 0; i < 2; i++)
            if (fds[1 + i].revents != 0)
                move(&flows[i]);
        if (fds[0].revents == 0)
            continue;
        if (over && pass_signals(signals, 0))
            return status;
        if (!over) {
            (void)pass_signals(signals, child);
            over = is_over(child, &status);
        }
    }
    return status;
}

static _Noreturn void be_parent(const struct junit *junit, FILE *report, pid_t child, int signals,
                                int told_by, struct flow flows[2])
{
    struct timespec began, ended;
    time_t date = time(NULL);
    char told[TOLD_MAX] = "";
    int status;

    lend_terminal(child); /* the child may read it and gets its Ctrl-C */
    clock_gettime(CLOCK_MONOTONIC, &began);
    status = accompany(child, signals, flows);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    if (tcgetpgrp(STDIN_FILENO) == child)
        tcsetpgrp(STDIN_FILENO, getpgrp());
    if (read(told_by, told, sizeof told - 1) < 0)
        told[0] = '\0';
    if (put_report(report, junit, flows, status, told, date,
                   (double)(ended.tv_sec - began.tv_sec) +
                       (double)(ended.tv_nsec - began.tv_nsec) / 1e9) != 0) {
        fprintf(stderr, "kvm-vmm run: %s: %s\n", junit->path, strerror(errno));
        status = status == 0 ? FAILED : status;
    }
    exit(status);
}

int junit_fork(const struct junit *junit, struct error *error)
{
    static struct flow flows[2];
    int out[2], err[2], told[2], signals;
    pid_t parent = getpid(), child;
    sigset_t before;
    FILE *report = fopen(junit->path, "we");

    if (report == NULL)
        return error_set(error, "--output junit:%s: %s", junit->path, strerror(errno));
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(told, O_CLOEXEC) < 0)
        return error_set(error, "--output: cannot make a pipe: %s", strerror(errno));
    signals = take_signals(&before); /* before fork, so that the child's end is not missed */
    child = fork();
    if (child < 0)
        return error_set(error, "--output: cannot start a process: %s", strerror(errno));
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        close(signals);
        setpgid(0, 0); /* otherwise signals to our group would come twice */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || dup2(out[1], STDOUT_FILENO) < 0 ||
            dup2(err[1], STDERR_FILENO) < 0)
            _exit(FAILED);
        close(fileno(report)); /* only the parent writes the report */
        for (int i = 0; i < 2; i++) {
            close(out[i]);
            close(err[i]);
        }
        close(told[0]);
        tell_fd = told[1];
        return 0;
    }
    setpgid(child, child); /* in both processes, as shells do: whichever is first */
    close(out[1]);
    close(err[1]);
    close(told[1]);
    flows[0] = (struct flow){.from = out[0], .to = STDOUT_FILENO};
    flows[1] = (struct flow){.from = err[0], .to = STDERR_FILENO};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN); /* for tcsetpgrp */
    be_parent(junit, report, child, signals, told[0], flows);
}

void junit_tell(bool of_command, const char *kernel)
{
    char text[TOLD_MAX];

    if (tell_fd < 0)
        return;
    snprintf(text, sizeof text, "%c%s", of_command ? 'c' : 'v', kernel);
    if (write(tell_fd, text, strlen(text)) < 0)
        perror("kvm-vmm run: --output");
}
