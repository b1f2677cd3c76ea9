/* The process that learns; see learn.h. */
#include "host/sandbox/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/sandbox/calls.h"
#include "host/sandbox/landlock.h"

enum { SEEN_MAX = 512, FILES_SEEN_MAX = 256 };

static int learner = -1; /* the socket to the learner */

/* The argument that distinguishes uses of a call; for other calls any. */
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

enum { THREAD_NAME = 17 };

static void name_thread(const struct seccomp_notif *call, char thread[THREAD_NAME])
{
    char path[40];
    ssize_t length = 0;
    int fd;

    snprintf(path, sizeof path, "/proc/%u/comm", call->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        length = read(fd, thread, THREAD_NAME - 1);
        close(fd);
    }
    thread[length > 0 ? length : 0] = '\0';
    thread[strcspn(thread, "\n")] = '\0';
}

/* --- files --- */

/* Reads the path that the call names, as seen by the watched program. False: it cannot be read, or
 * it is a socket address that is not a path. */
static bool read_path(const struct seccomp_notif *call, const struct sandbox_naming *n,
                      char path[PATH_MAX + 64])
{
    int folder = n->folder < 0 ? AT_FDCWD : (int)call->data.args[n->folder], fd;
    char text[PATH_MAX], memory[40];
    struct sockaddr_un address;
    static bool said;
    ssize_t length;

    snprintf(memory, sizeof memory, "/proc/%u/mem", call->pid);
    fd = open(memory, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT && errno != ESRCH && !said) { /* the thread has not just ended */
        dprintf(STDERR_FILENO,
                "kvm-vmm: --sandbox=learn cannot report the files that the sandbox does not allow: "
                "%s: %s; this host forbids to read another process (ptrace_scope, a container)\n",
                memory, strerror(errno));
        said = true;
    }
    if (fd < 0)
        return false;
    if (call->data.nr == SYS_bind) {
        memset(&address, 0, sizeof address);
        length = pread(fd, &address,
                       call->data.args[2] < sizeof address ? call->data.args[2] : sizeof address,
                       (off_t)call->data.args[n->path]);
        if (address.sun_family != AF_UNIX)
            length = 0;
        memcpy(text, address.sun_path, sizeof address.sun_path);
        text[sizeof address.sun_path] = '\0';
    } else {
        length = pread(fd, text, sizeof text - 1, (off_t)call->data.args[n->path]);
        text[length > 0 ? length : 0] = '\0';
    }
    close(fd);
    if (length <= 0 || text[0] == '\0')
        return false;
    if (strncmp(text, "/proc/self/", 11) == 0)
        snprintf(path, PATH_MAX + 64, "/proc/%u/%s", call->pid, text + 11);
    else if (text[0] == '/')
        snprintf(path, PATH_MAX + 64, "%s", text);
    else if (folder == AT_FDCWD)
        snprintf(path, PATH_MAX + 64, "/proc/%u/cwd/%s", call->pid, text);
    else
        snprintf(path, PATH_MAX + 64, "/proc/%u/fd/%d/%s", call->pid, folder, text);
    return true;
}

static enum landlock_action action_of(const struct seccomp_notif *call,
                                      const struct sandbox_naming *n, bool is_there)
{
    int flags = n->flags < 0 ? 0 : (int)call->data.args[n->flags];

    if (n->flags < 0)
        return n->action;
    if (!is_there && (flags & O_CREAT) != 0)
        return LANDLOCK_TO_MAKE;
    return (flags & O_ACCMODE) != O_RDONLY ? LANDLOCK_TO_WRITE
           : (flags & O_DIRECTORY) != 0    ? LANDLOCK_TO_LIST
                                           : LANDLOCK_TO_READ;
}

/* Reports each file that Landlock would not allow, once for each action. A file that does not exist
 * is an error in any case; opening only a path (O_PATH) is not restricted. */
static void look_at_file(const struct seccomp_notif *call, const struct sandbox_naming *n)
{
    static const char *const actions[] = {[LANDLOCK_TO_READ] = "read",
                                          [LANDLOCK_TO_WRITE] = "write",
                                          [LANDLOCK_TO_LIST] = "list",
                                          [LANDLOCK_TO_MAKE] = "make files in",
                                          [LANDLOCK_TO_REMOVE] = "remove files in"};
    static char seen[FILES_SEEN_MAX][PATH_MAX];
    static enum landlock_action seen_actions[FILES_SEEN_MAX];
    static unsigned count;
    char path[PATH_MAX + 64], real[PATH_MAX], thread[THREAD_NAME];
    enum landlock_action action;
    char *slash;
    bool is_there;

    if (!read_path(call, n, path) || (n->flags >= 0 && (call->data.args[n->flags] & O_PATH) != 0))
        return;
    is_there = realpath(path, real) != NULL;
    action = action_of(call, n, is_there);
    if (action == LANDLOCK_TO_MAKE || action == LANDLOCK_TO_REMOVE) {
        slash = strrchr(path, '/');
        *slash = '\0';
        is_there = realpath(slash == path ? "/" : path, real) != NULL;
    }
    if (!is_there || landlock_would_allow(real, action))
        return;
    for (unsigned i = 0; i < count; i++)
        if (seen_actions[i] == action && strcmp(seen[i], real) == 0)
            return;
    if (count < FILES_SEEN_MAX) {
        seen_actions[count] = action;
        strcpy(seen[count++], real);
    }
    name_thread(call, thread);
    dprintf(STDERR_FILENO, "kvm-vmm: the sandbox does not allow to %s %s, in the thread %s\n",
            actions[action], real, thread);
}

/* --- calls --- */

static void say(const struct seccomp_notif *call)
{
    const char *name = sandbox_call_name(call->data.nr);
    char thread[THREAD_NAME];

    name_thread(call, thread);
    dprintf(STDERR_FILENO,
            "kvm-vmm: the sandbox does not allow %s(%#llx, %#llx, %#llx, %#llx) in the thread %s\n",
            name != NULL ? name : "a system call that has no name",
            (unsigned long long)call->data.args[0], (unsigned long long)call->data.args[1],
            (unsigned long long)call->data.args[2], (unsigned long long)call->data.args[3], thread);
}

/* Whether the list has the call: the learner's filter passes on all calls that name files. */
static bool is_on_the_list(int number, unsigned needs)
{
    for (unsigned i = 0; i < sandbox_call_count; i++)
        if (sandbox_calls[i].number == number &&
            (sandbox_calls[i].needs == 0 || (sandbox_calls[i].needs & needs) != 0))
            return true;
    return false;
}

static void look_at(const struct seccomp_notif *call, unsigned needs)
{
    if (!sandbox_names_a_file(call->data.nr) || !is_on_the_list(call->data.nr, needs)) {
        if (is_new(call))
            say(call);
        return;
    }
    for (unsigned i = 0; i < sandbox_naming_count; i++)
        if (sandbox_namings[i].number == call->data.nr)
            look_at_file(call, &sandbox_namings[i]);
}

/* Answers until no thread with the filter is left. */
static void watch(int fd, unsigned needs)
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
        look_at(call, needs);
        *answer =
            (struct seccomp_notif_resp){.id = call->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        (void)seccomp_notify_respond(fd, answer);
    }
}

/* The learner shares the parent's descriptors until it has that of the filter. */
static void be_the_learner(int parent, unsigned needs)
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
    watch(fd, needs);
    _exit(0);
}

int sandbox_learn_begin(unsigned needs)
{
    int ends[2];
    long pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0)
        return -errno;
    if (pid == 0)
        be_the_learner(ends[1], needs);
    /* If a process may only trace its children (Yama's ptrace_scope), this makes an exception for
     * the learner. A kernel without Yama does not have the call. */
    (void)prctl(PR_SET_PTRACER, pid, 0, 0, 0);
    learner = ends[0]; /* the other end is the child's as well: it closes when this program ends */
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
