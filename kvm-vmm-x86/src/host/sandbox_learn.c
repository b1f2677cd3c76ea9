/* The process that learns; see sandbox_learn.h. */
#include "host/sandbox_learn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/sandbox_calls.h"

enum { SEEN_MAX = 512 };

static int learner = -1; /* the way to it */

/* The argument that says what a call is about; of others any. */
static unsigned telling_argument(int number)
{
    switch (number) {
    case SYS_ioctl:
    case SYS_fcntl:
        return 1;
    case SYS_mmap:
    case SYS_mprotect:
        return 2;
    default:
        return 0;
    }
}

static bool is_new(const struct seccomp_notif *call)
{
    static const int by_argument[] = {SYS_ioctl, SYS_fcntl, SYS_mmap,   SYS_mprotect,
                                      SYS_clone, SYS_prctl, SYS_socket, SYS_unshare};
    static struct {
        int number;
        uint64_t argument;
    } seen[SEEN_MAX];
    static unsigned count;
    uint64_t argument = 0;

    for (unsigned i = 0; i < sizeof by_argument / sizeof by_argument[0]; i++)
        if (by_argument[i] == call->data.nr)
            argument = call->data.args[telling_argument(call->data.nr)];
    for (unsigned i = 0; i < count; i++)
        if (seen[i].number == call->data.nr && seen[i].argument == argument)
            return false;
    if (count < SEEN_MAX) {
        seen[count].number = call->data.nr;
        seen[count++].argument = argument;
    }
    return true;
}

static void say(const struct seccomp_notif *call)
{
    const char *name = sandbox_call_name(call->data.nr);
    char path[40], thread[17] = "";
    ssize_t length = 0;
    int fd;

    snprintf(path, sizeof path, "/proc/%u/comm", call->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, thread, sizeof thread - 1);
        close(fd);
    }
    thread[length > 0 ? length : 0] = '\0';
    thread[strcspn(thread, "\n")] = '\0';
    dprintf(STDERR_FILENO,
            "kvm-vmm: the sandbox does not allow %s(%#llx, %#llx, %#llx, %#llx) in the thread %s\n",
            name != NULL ? name : "a system call that has no name",
            (unsigned long long)call->data.args[0], (unsigned long long)call->data.args[1],
            (unsigned long long)call->data.args[2], (unsigned long long)call->data.args[3], thread);
}

/* Until no thread is left that the filter is about. */
static void watch(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct seccomp_notif *call;
    struct seccomp_notif_resp *answer;

    if (seccomp_notify_alloc(&call, &answer) != 0)
        return;
    while (poll(&ready, 1, -1) >= 0 && (ready.revents & (POLLHUP | POLLERR)) == 0) {
        memset(call, 0, sizeof *call);
        if (seccomp_notify_receive(fd, call) != 0)
            continue; /* the thread was interrupted */
        if (is_new(call))
            say(call);
        *answer =
            (struct seccomp_notif_resp){.id = call->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        (void)seccomp_notify_respond(fd, answer);
    }
}

/* Its descriptors are the parent's until it has that of the filter. */
static void be_the_learner(int parent)
{
    char done = 1;
    int fd;

    prctl(PR_SET_NAME, "sandbox");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int signal = SIGHUP; signal <= SIGTERM; signal++)
        if (signal != SIGSEGV && signal != SIGBUS)
            (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    if (read(parent, &fd, sizeof fd) != sizeof fd || unshare(CLONE_FILES) < 0 ||
        write(parent, &done, sizeof done) != sizeof done)
        _exit(1);
    for (int other = 0; other < 1024; other++)
        if (other != fd && other != STDERR_FILENO)
            close(other);
    watch(fd);
    _exit(0);
}

int sandbox_learn_begin(void)
{
    int ends[2];
    long pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0)
        return -errno;
    if (pid == 0)
        be_the_learner(ends[1]);
    learner = ends[0]; /* the other end is the child's as well: it is closed with this program */
    return 0;
}

int sandbox_learn_watch(int fd)
{
    char done;

    if (fd < 0 || write(learner, &fd, sizeof fd) != sizeof fd ||
        read(learner, &done, sizeof done) != sizeof done)
        return -EPIPE;
    close(fd);
    return 0;
}
