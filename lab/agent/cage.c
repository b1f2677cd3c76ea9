/* See cage.h. */
#include "lab/agent/cage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lab/agent/say.h"

#define GROUPS       "/sys/fs/cgroup"
#define LEAVE_TRIES  500 /* of 10 ms; a process in a device call may take long */
#define LEAVE_PERIOD 10000000

static void put(const struct cage *cage, const char *file, const char *text)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", cage->path, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        say("%s: %m", path);
    if (fd >= 0)
        close(fd);
}

void cage_create(struct cage *cage, unsigned line)
{
    static unsigned sequence; /* a cage that could not be removed keeps its name */

    snprintf(cage->path, sizeof(cage->path), GROUPS "/line-%u.%u", line, sequence++);
    if (mkdir(cage->path, 0755) != 0) {
        say("%s: %m", cage->path);
        cage->path[0] = '\0';
    }
}

void cage_enter(const struct cage *cage)
{
    if (cage->path[0])
        put(cage, "cgroup.procs", "0");
    if (unshare(CLONE_NEWNS) != 0)
        say("cannot make a mount namespace: %m");
}

void cage_kill(const struct cage *cage)
{
    if (cage->path[0])
        put(cage, "cgroup.kill", "1");
}

void cage_destroy(struct cage *cage)
{
    if (!cage->path[0])
        return;
    cage_kill(cage);
    for (int i = 0; i < LEAVE_TRIES && rmdir(cage->path) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = LEAVE_PERIOD}, NULL);
    cage->path[0] = '\0';
}

static bool group_any(const char *name, bool (*answer)(pid_t pid, void *context), void *context)
{
    char path[320];
    bool yes = false;
    FILE *members;
    int pid;

    snprintf(path, sizeof(path), GROUPS "/%s/cgroup.procs", name);
    members = fopen(path, "re");
    while (members && !yes && fscanf(members, "%d", &pid) == 1)
        yes = answer(pid, context);
    if (members)
        fclose(members);
    return yes;
}

bool cage_any(bool (*answer)(pid_t pid, void *context), void *context)
{
    DIR *groups = opendir(GROUPS);
    struct dirent *entry;
    bool yes = false;

    while (groups && !yes && (entry = readdir(groups)))
        if (strncmp(entry->d_name, "line-", strlen("line-")) == 0)
            yes = group_any(entry->d_name, answer, context);
    if (groups)
        closedir(groups);
    return yes;
}
