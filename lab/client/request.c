/* See request.h. */
#include "lab/client/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull

static uint64_t nanoseconds(struct timespec time)
{
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* A value that changes when a package is installed, or a file is added to the usual program
 * directories by hand. */
static uint64_t usr_generation(void)
{
    static const char *const witnesses[] = {
        "/var/lib/dpkg/status", "/etc/ld.so.cache", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib",
        "/usr/local/bin",       "/usr/local/lib",
    };
    uint64_t mix = 1;

    for (size_t i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++) {
        struct stat stat_;

        if (stat(witnesses[i], &stat_) == 0)
            mix = mix * 1000003 + nanoseconds(stat_.st_mtim);
    }
    return mix;
}

void request_describe(struct message_hello *hello)
{
    struct timespec now;
    mode_t mask = umask(0);

    umask(mask);
    clock_gettime(CLOCK_REALTIME, &now);
    hello->now = nanoseconds(now);
    hello->usr = usr_generation();
    hello->uid = geteuid();
    hello->gid = getegid();
    hello->umask = mask;
}

static void add(FILE *out, char tag, const char *text)
{
    fputc(tag, out);
    fwrite(text, 1, strlen(text) + 1, out);
}

static int add_groups(FILE *out)
{
    int count = getgroups(0, NULL);
    gid_t *groups = calloc((size_t)(count > 0 ? count : 0) + 1, sizeof(*groups));

    if (!groups)
        return -ENOMEM;
    count = getgroups(count, groups);
    for (int i = 0; i < count; i++)
        fprintf(out, "%c%u%c", TAG_GROUP, groups[i], '\0');
    free(groups);
    return 0;
}

char *request_strings(char **command, size_t *length)
{
    char *text = NULL;
    char *directory = getcwd(NULL, 0);
    FILE *out = open_memstream(&text, length);
    int code = out && directory ? 0 : -errno;

    if (code == 0) {
        add(out, TAG_DIRECTORY, directory);
        for (char **argument = command; *argument; argument++)
            add(out, TAG_ARGUMENT, *argument);
        for (char **variable = environ; *variable; variable++)
            add(out, TAG_ENVIRONMENT, *variable);
        code = add_groups(out);
    }
    if (out && fclose(out) != 0 && code == 0)
        code = -errno;
    if (code < 0) {
        fprintf(stderr, "lab: cannot describe the command: %s\n", strerror(-code));
        free(text);
        text = NULL;
    }
    free(directory);
    return text;
}
