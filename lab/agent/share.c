/* See share.h. Linux, Documentation/filesystems/9p.rst; proc(5), "maps". */
#include "lab/agent/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lab/agent/cage.h"
#include "lab/agent/say.h"

#define LOCK    "/run/lab.lock"
#define CURRENT "/run/lab.share" /* the mount for new commands */
#define NEXT    "/run/lab.next"
#define WITNESS "/run/lab.witness"
#define OPTIONS "trans=virtio,version=9p2000.L,msize=512000,access=client,cache=mmap"

static char repository[4096];
static int witness = -1; /* a mount that no command uses: lookups there reach the host */
static int lock = -1;

/* All shares have the same tag: the kernel uses the first free one. */
static int mount_one(const char *at)
{
    mkdir(at, 0700);
    return mount("share", at, "9p", 0, OPTIONS) == 0 ? 0 : -errno;
}

/* Mounts the witness and detaches it at once: only this descriptor can reach it. */
static int open_witness(void)
{
    int code = mount_one(WITNESS);

    if (code == 0) {
        witness = open(WITNESS, O_PATH | O_DIRECTORY | O_CLOEXEC);
        code = witness < 0 ? -errno : 0;
        umount2(WITNESS, MNT_DETACH);
    }
    rmdir(WITNESS);
    return code;
}

int share_mount(const char *repository_)
{
    int code = open_witness();

    snprintf(repository, sizeof(repository), "%s", repository_);
    return code < 0 ? code : mount_one(CURRENT);
}

static bool is_within(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Creates the missing folders of a path, which may be on a tmpfs of the machine. */
static void make_path(const char *path)
{
    char part[4096];

    for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash ? slash - path : (long)strlen(path)),
                 path);
        if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EROFS)
            say("cannot create %s: %m", part);
        if (!slash)
            return;
    }
}

static void bind_folder(const char *folder)
{
    char source[4096 + sizeof(CURRENT)];

    snprintf(source, sizeof(source), CURRENT "%s", folder);
    make_path(folder);
    if (mount(source, folder, NULL, MS_BIND, NULL) != 0)
        say("%s is not shared: %m", folder);
}

void share_enter(const char *directory)
{
    static const char *const own[] = {"/proc", "/sys", "/dev"}; /* the machine's, not the host's */
    bool bind = strcmp(directory, "/") != 0;

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        bind = bind && (!is_within(directory, own[i]) || is_within(directory, "/dev/shm"));
    bind_folder("/tmp");
    if (bind && !is_within(directory, "/tmp"))
        bind_folder(directory);
    if (!is_within(repository, "/tmp") && !(bind && is_within(repository, directory)))
        bind_folder(repository);
}

bool share_lacks(const char *path)
{
    struct stat found;

    return path[0] == '/' && stat(path, &found) != 0 && errno == ENOENT &&
           fstatat(witness, path + 1, &found, 0) == 0;
}

void share_leave(void)
{
    if (umount2(CURRENT, MNT_DETACH) != 0)
        say("cannot hide %s: %m", CURRENT);
}

/* Checks a line of /proc/PID/maps: true if it maps a file of the share that the host has replaced
 * or removed. Names with a backslash are quoted there, and are skipped. */
static bool line_is_stale(const char *line, dev_t device)
{
    unsigned major_number, minor_number;
    unsigned long inode;
    struct stat now;
    int name = -1;

    if (sscanf(line, "%*s %*s %*s %x:%x %lu %n", &major_number, &minor_number, &inode, &name) < 3 ||
        name < 0 || makedev(major_number, minor_number) != device)
        return false;
    line += name;
    if (line[0] != '/' || strchr(line, '\\') || strstr(line, " (deleted)"))
        return false;
    return fstatat(witness, line + 1, &now, AT_SYMLINK_NOFOLLOW) != 0 || now.st_ino != inode;
}

static bool process_is_stale(pid_t pid, void *context)
{
    const dev_t *device = context;
    char path[64], line[8192];
    bool stale = false;
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    maps = fopen(path, "re");
    while (maps && !stale && fgets(line, sizeof(line), maps)) {
        line[strcspn(line, "\n")] = '\0';
        stale = line_is_stale(line, *device);
    }
    if (maps)
        fclose(maps);
    return stale;
}

/* Replaces the mount. Running commands keep the old one in their own namespaces; it ends with the
 * last of them. */
static int change_mount(void)
{
    int code;

    code = mount_one(NEXT);
    if (code == 0) {
        umount2(CURRENT, MNT_DETACH);
        if (mount(NEXT, CURRENT, NULL, MS_MOVE, NULL) != 0) {
            code = -errno;
            say("cannot move the new mount to %s: %m", CURRENT);
            umount2(NEXT, MNT_DETACH);
        }
    }
    if (code == 0)
        say("running programs were rebuilt: later commands see the new ones");
    rmdir(NEXT);
    return code;
}

int share_hold(void)
{
    struct stat mounted;

    if (lock < 0) /* each line opens the file itself: the lock belongs to the open file */
        lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (flock(lock, LOCK_EX) != 0)
        say("%s: %m", LOCK);
    if (stat(CURRENT, &mounted) != 0 || !cage_any(process_is_stale, &mounted.st_dev))
        return 0;
    return change_mount();
}

void share_release(void)
{
    flock(lock, LOCK_UN);
}
