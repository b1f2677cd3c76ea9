/* Finds errors before a machine boots; see check.h. */
#include "run/check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files/files.h"
#include "options/options.h"
#include "run/kernel.h"
#include "session/end.h"
#include "session/look.h"

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* --- the command --- */

enum found { NOTHING, A_FOLDER, A_FILE, A_PROGRAM };

static enum found look(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR ? NOTHING : A_PROGRAM; /* the guest will see */
    return S_ISDIR(status.st_mode)                                   ? A_FOLDER
           : !S_ISREG(status.st_mode) || (status.st_mode & 0111) > 0 ? A_PROGRAM
                                                                     : A_FILE;
}

/* `name` in `folder`, which is in `base` if it is not an absolute path. */
static enum found look_in(const char *base, const char *folder, size_t length, const char *name)
{
    char path[PATH_MAX];
    bool absolute = length > 0 && folder[0] == '/';
    int n = snprintf(path, sizeof path, "%s%s%.*s/%s", absolute ? "" : base, absolute ? "" : "/",
                     (int)length, folder, name);

    return n < (int)sizeof path ? look(path) : NOTHING;
}

/* The best match in PATH, as execvp(3) searches it. */
static enum found look_in_path(const char *base, const char *path, const char *name)
{
    enum found best = NOTHING;

    for (;; path++) {
        size_t length = strcspn(path, ":");
        enum found found = look_in(base, path, length, name);

        best = found > best ? found : best;
        path += length;
        if (*path == '\0')
            return best;
    }
}

/* Whether the guest has its own file system there, so that the host's files do not matter. */
static bool is_of_the_guest(const char *path)
{
    static const char *const own[] = {"/proc/", "/sys/", "/dev/", "/run/"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strncmp(path, own[i], strlen(own[i])) == 0)
            return true;
    return false;
}

static int refuse_found(enum found found, const char *name, struct error *error)
{
    if (found == A_FOLDER)
        (void)error_set(error, "%s: Permission denied: it is a folder", name);
    else
        (void)error_set(error,
                        "%s: Permission denied: it is not executable (chmod +x %s, or sh %s)", name,
                        name, name);
    return NOT_EXECUTABLE;
}

static int check_path(const char *base, const char *name, struct error *error)
{
    enum found found = name[0] == '/' ? look(name) : look_in(base, "", 0, name);

    if (found == A_PROGRAM || (found == NOTHING && is_of_the_guest(name)))
        return 0;
    if (found != NOTHING)
        return refuse_found(found, name, error);
    (void)error_set(error, "%s: No such file or directory", name);
    return NOT_FOUND;
}

static int check_name(const char *base, const char *name, bool here, struct error *error)
{
    const char *path = getenv("PATH");
    enum found found = path == NULL ? A_PROGRAM : look_in_path(base, path, name);

    if (found == A_PROGRAM)
        return 0;
    if (found == A_FILE) {
        (void)error_set(
            error, "%s: Permission denied: what PATH has of this name is not executable", name);
        return NOT_EXECUTABLE;
    }
    found = look_in(base, "", 0, name);
    if (found == A_PROGRAM)
        (void)error_set(error, "%s: not found in PATH; it is in %s: ./%s", name,
                        here ? "the current folder" : base, name);
    else if (found == A_FILE)
        (void)error_set(error,
                        "%s: not found in PATH; it is in %s, but not executable: chmod +x %s and "
                        "./%s, or sh %s",
                        name, here ? "the current folder" : base, name, name, name);
    else
        (void)error_set(error, "%s: not found in PATH", name);
    return NOT_FOUND;
}

int run_check_command(const struct run_request *r, struct error *error)
{
    const char *base = r->folder != NULL ? r->folder : ".";

    if (r->command == NULL || r->script != NULL || r->root != NULL ||
        strstr(r->command[0], "{}") != NULL)
        return 0;
    for (unsigned i = 0; i < r->variable_count; i++)
        if (strncmp(r->variables[i], "PATH=", 5) == 0)
            return 0;
    return strchr(r->command[0], '/') != NULL
               ? check_path(base, r->command[0], error)
               : check_name(base, r->command[0], r->folder == NULL, error);
}

/* --- the options --- */

/* Checks the VMM's options, with a kernel that exists. */
static int check_vmm(const struct run_request *r, struct error *error)
{
    static struct options options; /* too large for a stack */
    char *words[RUN_WORDS_MAX + 3];
    int count = 0;

    words[count++] = (char *)"kvm-vmm";
    for (int i = 0; i < r->vmm_count; i++)
        words[count++] = r->vmm[i];
    words[count++] = (char *)"/dev/null";
    words[count] = NULL;
    if (options_parse(&options, count, words, error) < 0)
        return STATUS_USAGE;
    return session_look(&options, error) < 0 ? STATUS_FAILED : 0;
}

static int look_at_all(const struct run_request *r, struct error *error)
{
    struct run_kernel kernel;

    if ((r->each != NULL && file_look(r->each, error) < 0) ||
        (r->script != NULL && file_look(r->script, error) < 0))
        return -1;
    if (r->root != NULL && access(r->root, R_OK) < 0)
        return error_set(error, "--root %s: %s", r->root, strerror(errno));
    if (r->folder != NULL && r->root == NULL && access(r->folder, X_OK) < 0)
        return error_set(error, "--cwd %s: %s", r->folder, strerror(errno));
    for (unsigned i = 0; i < r->share_count; i++) {
        size_t length = strlen(r->shares[i]);
        char path[PATH_MAX];

        if (length > 3 && strcmp(r->shares[i] + length - 3, ",ro") == 0)
            length -= 3;
        snprintf(path, sizeof path, "%.*s", (int)length, r->shares[i]);
        if (access(path, R_OK) < 0)
            return error_set(error, "--share %s: %s", path, strerror(errno));
    }
    if ((r->kernel != NULL || r->modules != NULL) &&
        run_kernel_find(&kernel, r->kernel, r->modules, error) < 0)
        return -1;
    return 0;
}

int run_check_options(const struct run_request *r, struct error *error)
{
    return look_at_all(r, error) < 0 ? STATUS_FAILED : check_vmm(r, error);
}
