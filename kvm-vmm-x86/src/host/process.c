/* Copies of this process; see process.h. */
#include "host/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAILED = 125 }; /* the exit status of a VMM that cannot go on */

void process_use_small_pages(void)
{
    extern char __bss_start[], _end[]; /* by the linker: ld(1), "Source Code Reference" */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)__bss_start + page - 1) & ~(page - 1);

    if ((uintptr_t)_end > start) /* a kernel without large pages refuses, which is fine */
        (void)madvise((void *)start, (uintptr_t)_end - start, MADV_NOHUGEPAGE);
}

/* A message in the pipe from a copy to its origin. */
struct message {
    uint8_t news, unused;
    uint16_t word;
};

/* Whether a descriptor is of a file or folder: those can be shared. All reads and writes of files
 * pass an offset, and folders whose position is used are opened again (fuse_server_leave). */
static bool is_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
                                   S_ISLNK(st.st_mode) || S_ISBLK(st.st_mode));
}

/* O_PATH descriptors of a shared folder may be of anything. */
static bool is_path(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_PATH) != 0;
}

/* Closes descriptors that the copy must not share. An eventfd, epoll, ring or VM does not count as
 * a file: anonymous inodes have a mode without a type. */
static bool close_shared(int keep)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && fd > 2 && fd != keep &&
            fd != dirfd(list) && !is_file(fd) && !is_path(fd))
            close(fd);
    }
    return list != NULL && closedir(list) == 0;
}

/* The typed input fits into the pipe. The pipe's write end stays open if the input has no end. */
static bool lead_input(const struct process_streams *streams)
{
    size_t count = strlen(streams->typed);
    int input[2];

    if (pipe2(input, O_CLOEXEC) < 0 || write(input[1], streams->typed, count) != (ssize_t)count ||
        dup2(input[0], 0) < 0)
        return false;
    close(input[0]);
    if (streams->ends)
        close(input[1]);
    return true;
}

static bool lead_output(const struct process_streams *streams)
{
    int file = -1;

    if (streams->output == NULL)
        return dup2(streams->out, 1) >= 0 && dup2(streams->err, 2) >= 0;
    file = open(streams->output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                0600);
    if (file < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0)
        return false;
    close(file);
    return true;
}

int process_copy(struct process *process, bool bound, struct error *error)
{
    pid_t origin = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_set(error, "cannot make a pipe: %s", strerror(errno));
    signal(SIGCHLD, SIG_IGN); /* copies that end do not become zombies */
    process->pid = fork();
    if (process->pid < 0) {
        error_set(error, "cannot fork: %s", strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    process->report = ends[process->pid == 0];
    if (process->pid > 0) {
        close(ends[1]);
        return 1;
    }
    if (bound && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != origin))
        _exit(FAILED);
    (void)setsid(); /* the terminal's signals are for the origin */
    return 0;
}

static void tell(const struct process *process, enum process_news news, uint16_t word)
{
    struct message message = {.news = (uint8_t)news, .word = word};

    (void)!write(process->report, &message, sizeof message); /* ignored: the origin may be gone */
}

void process_settle(const struct process *process, const struct process_streams *streams)
{
    if (!close_shared(process->report) || !lead_output(streams) || !lead_input(streams))
        process_end(process, FAILED);
}

void process_report(const struct process *process)
{
    tell(process, PROCESS_BEGUN, 0);
}

void process_end(const struct process *process, uint16_t word)
{
    tell(process, PROCESS_ENDED, word);
    _exit(word & 0xff);
}

enum process_news process_hear(struct process *process, uint16_t *word)
{
    struct message message;
    ssize_t n = read(process->report, &message, sizeof message);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return PROCESS_QUIET;
    if (n == sizeof message && message.news == PROCESS_BEGUN)
        return PROCESS_BEGUN;
    process_forget(process);
    if (n != sizeof message || message.news != PROCESS_ENDED)
        return PROCESS_LOST;
    *word = message.word;
    return PROCESS_ENDED;
}

void process_forget(struct process *process)
{
    if (process->report >= 0)
        close(process->report);
    process->report = -1;
}

void process_path(char path[PROCESS_PATH_MAX], int fd)
{
    snprintf(path, PROCESS_PATH_MAX, "/proc/self/fd/%d", fd);
}
