/* Makes folders; see folder_make.h. */
#include "host/files/folder_make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that is being made; a signal handler reads it. */
static struct {
    int fd; /* of PATH.tmp; -1: none */
    char path[FOLDER_PATH_MAX], tmp[FOLDER_PATH_MAX + 8];
    const struct folder_files *files;
} folder_made = {.fd = -1};

enum { ENDING_SIGNALS = 3 };
static const int ending_signals[ENDING_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
static struct sigaction actions_before[ENDING_SIGNALS];

static void on_end(int number)
{
    folder_abandon();
    _exit(128 + number);
}

static sigset_t the_ending_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (unsigned i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&set, ending_signals[i]);
    return set;
}

/* Signals that were ignored stay ignored (nohup). */
static void take_signals(void)
{
    struct sigaction ours = {.sa_handler = on_end, .sa_mask = the_ending_signals()};

    for (unsigned i = 0; i < ENDING_SIGNALS; i++)
        if (sigaction(ending_signals[i], NULL, &actions_before[i]) == 0 &&
            actions_before[i].sa_handler != SIG_IGN)
            (void)sigaction(ending_signals[i], &ours, NULL);
}

static void leave_signals(void)
{
    for (unsigned i = 0; i < ENDING_SIGNALS; i++)
        (void)sigaction(ending_signals[i], &actions_before[i], NULL);
}

/* Makes PATH.tmp. The signals are blocked meanwhile, so that a handler knows the folder if it
 * exists. */
static int make_tmp(struct folder_files *files, struct error *error)
{
    const sigset_t ending = the_ending_signals();
    sigset_t before;
    int result = 0;

    sigprocmask(SIG_BLOCK, &ending, &before);
    if (mkdir(folder_made.tmp, S_IRWXU) < 0) {
        result = error_set(error, "cannot make %s: %s", folder_made.tmp, strerror(errno));
    } else {
        folder_made.files = files;
        folder_made.fd = open(folder_made.tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder_made.fd < 0) {
            result = error_set(error, "cannot open %s: %s", folder_made.tmp, strerror(errno));
            (void)!rmdir(folder_made.tmp);
        } else {
            take_signals();
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}

int folder_make(const char *path, struct folder_files *files, struct error *error)
{
    struct stat st;

    for (unsigned i = 0; i < files->count; i++)
        files->fds[i] = -1;
    if (snprintf(folder_made.path, sizeof folder_made.path, "%s", path) >=
        (int)sizeof folder_made.path)
        return error_set(error, "a path of %zu bytes is too long", strlen(path));
    snprintf(folder_made.tmp, sizeof folder_made.tmp, "%s.tmp", path);
    if (lstat(path, &st) == 0)
        return error_set(error, "%s is there already", path);
    if (make_tmp(files, error) < 0)
        return -1;
    for (unsigned i = 0; i < files->count; i++) {
        files->fds[i] =
            openat(folder_made.fd, files->names[i], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (files->fds[i] < 0) {
            error_set(error, "cannot make %s/%s: %s", folder_made.tmp, files->names[i],
                      strerror(errno));
            folder_close_files(files);
            folder_abandon();
            return -1;
        }
    }
    return 0;
}

int folder_commit(bool (*is_used)(void *context, const char *name), void *context,
                  struct error *error)
{
    const sigset_t ending = the_ending_signals();
    sigset_t before;
    int result = 0;

    for (unsigned i = 0; i < folder_made.files->count; i++)
        if (!is_used(context, folder_made.files->names[i]))
            (void)!unlinkat(folder_made.fd, folder_made.files->names[i], 0);
    /* fsync may take long, so a signal can still end it. A signal that comes during the rename acts
     * after it. */
    if (fsync(folder_made.fd) < 0)
        result = -1;
    sigprocmask(SIG_BLOCK, &ending, &before);
    /* Not every file system has RENAME_NOREPLACE; rename replaces only an empty folder. */
    if (result < 0 || rename(folder_made.tmp, folder_made.path) < 0) {
        result = error_set(error, "cannot rename %s to %s: %s", folder_made.tmp, folder_made.path,
                           strerror(errno));
        folder_abandon();
    } else {
        close(folder_made.fd);
        folder_made.fd = -1;
    }
    leave_signals();
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}

/* Async-signal-safe. */
void folder_abandon(void)
{
    if (folder_made.fd < 0)
        return;
    for (unsigned i = 0; i < folder_made.files->count; i++)
        (void)!unlinkat(folder_made.fd, folder_made.files->names[i], 0);
    (void)!rmdir(folder_made.tmp); /* removed first, since a signal may come before fd is -1 */
    close(folder_made.fd);
    folder_made.fd = -1;
}
