/* The user's folder of control sockets; see runtime.h. */
#include "host/files/runtime.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "mini-kvm"

/* Whether this is a valid name of a machine: letters, digits, '.', '_' and '-', the first of them a
 * letter or digit. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length > RUNTIME_NAME_MAX || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
            return false;
    return true;
}

/* False: the path is too long. */
static bool folder_path(char path[ENDPOINT_PATH_MAX])
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    int n;

    if (base != NULL && base[0] == '/')
        n = snprintf(path, ENDPOINT_PATH_MAX, "%s/" FOLDER, base);
    else
        n = snprintf(path, ENDPOINT_PATH_MAX, "/run/user/%u/" FOLDER, geteuid());
    return n < ENDPOINT_PATH_MAX;
}

/* In a folder that belongs to another user, or that others may write to, they could answer in our
 * place. */
static int check_folder(const char *path, struct error *error)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return error_set(error, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error_set(error, "%s: not a folder that only this user may write to", path);
    return 0;
}

int runtime_path(char path[ENDPOINT_PATH_MAX], const char *name, bool make, struct error *error)
{
    size_t length;

    if (!is_name(name))
        return error_set(
            error,
            "\"%s\" is not a name for a machine: 1 to %d letters, digits, '.', '_' and "
            "'-', beginning with a letter or digit",
            name, RUNTIME_NAME_MAX);
    if (!folder_path(path))
        return error_set(error, "XDG_RUNTIME_DIR is too long a path for a socket");
    if (make && mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
        return error_set(error, "cannot make %s: %s (XDG_RUNTIME_DIR says where)", path,
                         strerror(errno));
    if (make && check_folder(path, error) < 0)
        return -1;
    length = strlen(path);
    if (length + 1 + strlen(name) >= ENDPOINT_PATH_MAX)
        return error_set(error, "%s/%s: too long a path for a socket", path, name);
    snprintf(path + length, ENDPOINT_PATH_MAX - length, "/%s", name);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

unsigned runtime_list(char names[RUNTIME_LIST_MAX][RUNTIME_NAME_MAX + 1])
{
    char path[ENDPOINT_PATH_MAX];
    struct dirent *entry;
    unsigned count = 0;
    DIR *folder;

    if (!folder_path(path) || (folder = opendir(path)) == NULL)
        return 0;
    while (count < RUNTIME_LIST_MAX && (entry = readdir(folder)) != NULL)
        if (is_name(entry->d_name))
            strcpy(names[count++], entry->d_name);
    closedir(folder);
    qsort(names, count, sizeof names[0], compare);
    return count;
}

void runtime_forget(const char *name)
{
    char path[ENDPOINT_PATH_MAX];
    struct error error;
    struct stat st;

    if (runtime_path(path, name, false, &error) == 0 && lstat(path, &st) == 0 &&
        S_ISSOCK(st.st_mode))
        unlink(path);
}
