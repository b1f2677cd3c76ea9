/* The process that learns; see sandbox_learn.h. */
#include "host/sandbox_learn.h"

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
#include <unistd.h>

#include "host/landlock.h"
#include "host/sandbox_calls.h"

enum { SEEN_MAX = 512, FILES_SEEN_MAX = 256 };

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

/* A call that names a file: where its folder's descriptor, its path and its flags are, or -1. */
struct naming {
    int number, folder, path, flags;
};

static const struct naming *naming_of(int number)
{
    static const struct naming calls[] = {
        {SYS_open, -1, 0, 1},     {SYS_openat, 0, 1, 2},   {SYS_unlink, -1, 0, -1},
        {SYS_unlinkat, 0, 1, -1}, {SYS_mkdir, -1, 0, -1},  {SYS_mkdirat, 0, 1, -1},
        {SYS_rmdir, -1, 0, -1},   {SYS_rename, -1, 0, -1}, {SYS_truncate, -1, 0, -1},
        {SYS_mknodat, 0, 1, -1},
    };

    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* The path that it names, in the files of the program that is watched; false: it cannot be read. */
static bool read_path(const struct seccomp_notif *call, const struct naming *n,
                      char path[PATH_MAX + 64])
{
    int folder = n->folder < 0 ? AT_FDCWD : (int)call->data.args[n->folder], fd;
    char text[PATH_MAX], memory[40];
    static bool said;
    ssize_t length;

    snprintf(memory, sizeof memory, "/proc/%u/mem", call->pid);
    fd = open(memory, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT && errno != ESRCH && !said) { /* the thread has not just ended */
        dprintf(STDERR_FILENO,
                "kvm-vmm: --sandbox=learn cannot see which files the sandbox does not allow: %s: "
                "%s; processes may not look into each other here (ptrace_scope, a container)\n",
                memory, strerror(errno));
        said = true;
    }
    length = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, (off_t)call->data.args[n->path]);
    if (fd >= 0)
        close(fd);
    if (length <= 0)
        return false;
    text[length] = '\0';
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

static enum landlock_deed deed_of(const struct seccomp_notif *call, const struct naming *n,
                                  bool is_there)
{
    int flags = n->flags < 0 ? 0 : (int)call->data.args[n->flags];

    if (call->data.nr == SYS_truncate)
        return LANDLOCK_TO_WRITE;
    if (n->flags < 0 || (!is_there && (flags & O_CREAT) != 0))
        return LANDLOCK_TO_MAKE_OR_REMOVE;
    return (flags & O_ACCMODE) != O_RDONLY ? LANDLOCK_TO_WRITE
           : (flags & O_DIRECTORY) != 0    ? LANDLOCK_TO_LIST
                                           : LANDLOCK_TO_READ;
}

/* Says each file once that Landlock would keep out of reach. One that is not there is an error in
 * any case; what is opened as a path alone is not bounded. */
static void look_at_file(const struct seccomp_notif *call, const struct naming *n)
{
    static const char *const deeds[] = {[LANDLOCK_TO_READ] = "read",
                                        [LANDLOCK_TO_WRITE] = "write",
                                        [LANDLOCK_TO_LIST] = "list",
                                        [LANDLOCK_TO_MAKE_OR_REMOVE] = "make or remove files in"};
    static char seen[FILES_SEEN_MAX][PATH_MAX];
    static unsigned count;
    char path[PATH_MAX + 64], real[PATH_MAX], thread[THREAD_NAME];
    enum landlock_deed deed;
    char *slash;
    bool is_there;

    if (!read_path(call, n, path) || (n->flags >= 0 && (call->data.args[n->flags] & O_PATH) != 0))
        return;
    is_there = realpath(path, real) != NULL;
    deed = deed_of(call, n, is_there);
    if (deed == LANDLOCK_TO_MAKE_OR_REMOVE) {
        slash = strrchr(path, '/');
        *slash = '\0';
        is_there = realpath(slash == path ? "/" : path, real) != NULL;
    }
    if (!is_there || landlock_would_allow(real, deed))
        return;
    for (unsigned i = 0; i < count; i++)
        if (strcmp(seen[i], real) == 0)
            return;
    if (count < FILES_SEEN_MAX)
        strcpy(seen[count++], real);
    name_thread(call, thread);
    dprintf(STDERR_FILENO, "kvm-vmm: the sandbox does not allow to %s %s, in the thread %s\n",
            deeds[deed], real, thread);
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

/* Of a call that names a file the filter does not say. */
static bool is_on_the_list(int number, unsigned needs)
{
    for (unsigned i = 0; i < sandbox_call_count; i++)
        if (sandbox_calls[i].number == number &&
            (sandbox_calls[i].needs == 0 || (sandbox_calls[i].needs & needs) != 0))
            return true;
    return false;
}

/* Until no thread is left that the filter is about. */
static void watch(int fd, unsigned needs)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct seccomp_notif *call;
    struct seccomp_notif_resp *answer;
    const struct naming *naming;

    if (seccomp_notify_alloc(&call, &answer) != 0)
        return;
    while (poll(&ready, 1, -1) >= 0 && (ready.revents & (POLLHUP | POLLERR)) == 0) {
        memset(call, 0, sizeof *call);
        if (seccomp_notify_receive(fd, call) != 0)
            continue; /* the thread was interrupted */
        naming = naming_of(call->data.nr);
        if (naming != NULL && is_on_the_list(call->data.nr, needs))
            look_at_file(call, naming);
        else if (is_new(call))
            say(call);
        *answer =
            (struct seccomp_notif_resp){.id = call->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        (void)seccomp_notify_respond(fd, answer);
    }
}

/* Its descriptors are the parent's until it has that of the filter. */
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
    /* Where a process may look into its children alone (Yama's ptrace_scope), this one is excepted.
     * A kernel without Yama has no such call. */
    (void)prctl(PR_SET_PTRACER, pid, 0, 0, 0);
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
