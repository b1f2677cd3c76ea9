/* Chooses the kernel; see kernel.h. */
#include "run/kernel.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Linux, Documentation/arch/x86/boot.rst: the setup header. */
enum { HEADER_MAGIC_AT = 0x202, VERSION_AT = 0x20e, VERSION_BASE = 0x200 };

bool run_kernel_program_folder(char folder[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    char *slash;

    if (length <= 0)
        return false;
    folder[length] = '\0';
    slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

static bool join(char to[PATH_MAX], const char *a, const char *b)
{
    return snprintf(to, PATH_MAX, "%s%s", a, b) < PATH_MAX;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The newest readable file that matches a pattern. */
static bool newest(char path[PATH_MAX], const char *pattern)
{
    time_t best = 0;
    bool found = false;
    glob_t list;

    if (glob(pattern, 0, NULL, &list) != 0)
        return false;
    for (size_t i = 0; i < list.gl_pathc; i++) {
        struct stat status;

        if (access(list.gl_pathv[i], R_OK) == 0 && stat(list.gl_pathv[i], &status) == 0 &&
            S_ISREG(status.st_mode) && (!found || status.st_mtime > best)) {
            best = status.st_mtime;
            found = join(path, list.gl_pathv[i], "");
        }
    }
    globfree(&list);
    return found;
}

static int find_default(char path[PATH_MAX], struct error *error)
{
    char folder[PATH_MAX], pattern[PATH_MAX];
    struct utsname host;

    if (uname(&host) == 0 && join(path, "/boot/vmlinuz-", host.release) && access(path, R_OK) == 0)
        return 0;
    if (newest(path, "/boot/vmlinuz-*"))
        return 0;
    if (run_kernel_program_folder(folder) &&
        join(pattern, folder, "/../build/downloads/kernels/*/boot/vmlinuz-*") &&
        newest(path, pattern))
        return 0;
    return error_set(error, "no kernel: no /boot/vmlinuz-* can be read (Debian and Ubuntu: install "
                            "linux-image-cloud-amd64 or linux-image-generic), and there is no "
                            "--kernel FILE");
}

/* A packed kernel has its version in its header; for others it is not known. */
static void read_version(struct run_kernel *kernel)
{
    int fd = open(kernel->path, O_RDONLY | O_CLOEXEC);
    uint8_t head[VERSION_AT + 2];
    char text[sizeof kernel->version] = "";
    off_t at;

    if (fd < 0)
        return;
    if (pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
        memcmp(head + HEADER_MAGIC_AT, "HdrS", 4) == 0) {
        at = VERSION_BASE + (head[VERSION_AT] | head[VERSION_AT + 1] << 8);
        if (pread(fd, text, sizeof text - 1, at) > 0) {
            text[strcspn(text, " ")] = '\0';
            snprintf(kernel->version, sizeof kernel->version, "%s", text);
        }
    }
    close(fd);
}

/* A folder with modules.dep, or one that has lib/modules/VERSION. */
static bool take_modules(struct run_kernel *kernel, const char *folder)
{
    const char *const places[] = {"", "/lib/modules/", "/../lib/modules/", "/"};
    char path[PATH_MAX], list[PATH_MAX];

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!join(path, folder, places[i]) || (i > 0 && kernel->version[0] == '\0') ||
            (i > 0 && !join(kernel->modules, path, kernel->version)) ||
            (i == 0 && !join(kernel->modules, path, "")))
            continue;
        if (join(list, kernel->modules, "/modules.dep") && access(list, R_OK) == 0)
            return true;
    }
    kernel->modules[0] = '\0';
    return false;
}

int run_kernel_find(struct run_kernel *kernel, const char *asked, const char *modules,
                    struct error *error)
{
    char folder[PATH_MAX];
    char *slash;

    *kernel = (struct run_kernel){0};
    if (asked == NULL) {
        if (find_default(kernel->path, error) < 0)
            return -1;
    } else if (!join(kernel->path, asked, is_folder(asked) ? "/arch/x86/boot/bzImage" : "")) {
        return error_set(error, "--kernel: the path is too long");
    }
    if (access(kernel->path, R_OK) < 0)
        return error_set(error, "%s: %s%s", kernel->path, strerror(errno),
                         asked != NULL && is_folder(asked) ? " (a kernel tree that is not built?)"
                                                           : "");
    read_version(kernel);
    if (modules != NULL) {
        if (take_modules(kernel, modules))
            return 0;
        return error_set(error, "--modules %s: no modules.dep for %s there (depmod makes it)",
                         modules, kernel->version[0] != '\0' ? kernel->version : "this kernel");
    }
    if (asked != NULL && is_folder(asked) && take_modules(kernel, asked))
        return 0;
    (void)join(folder, kernel->path, "");
    slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!take_modules(kernel, slash != NULL ? folder : "."))
        (void)take_modules(kernel, "");
    return 0;
}
