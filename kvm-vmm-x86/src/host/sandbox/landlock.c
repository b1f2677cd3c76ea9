/* Landlock; see landlock.h. The C library has no functions for it, and the kernel's older headers
 * lack the newer rights. */
#include "host/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fmt.h"

/* Rights, and the first version of the interface that has them. */
enum { FIRST_RIGHTS = (1 << 13) - 1, REFER = 1 << 13, TRUNCATE = 1 << 14, IOCTL_DEV = 1 << 15 };
enum { LEARNED_MAX = 256 };
enum { WITH_REFER = 2, WITH_TRUNCATE = 3, WITH_IOCTL_DEV = 5 };

enum {
    READ_FOLDER = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    WRITE_FILE =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE | IOCTL_DEV,
    REMOVE = LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR,
    MAKE = LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
           LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
           LANDLOCK_ACCESS_FS_MAKE_SYM, /* no devices */
};

static const unsigned rights[] = {[LANDLOCK_READ] = LANDLOCK_ACCESS_FS_READ_FILE | IOCTL_DEV,
                                  [LANDLOCK_WRITE] = WRITE_FILE,
                                  [LANDLOCK_READ_FOLDER] = READ_FOLDER,
                                  [LANDLOCK_WRITE_FOLDER] = READ_FOLDER |
                                                            LANDLOCK_ACCESS_FS_WRITE_FILE |
                                                            TRUNCATE | REFER | REMOVE | MAKE,
                                  [LANDLOCK_LIST] = LANDLOCK_ACCESS_FS_READ_DIR,
                                  [LANDLOCK_REMOVE] = REMOVE};

static struct {
    int rules;        /* the rule set's descriptor; -1: it does not exist */
    unsigned handled; /* the rights that it restricts; others are always allowed */
    unsigned entered; /* atomic */
    bool learns;
    unsigned count; /* of `allowed`, used by --sandbox=learn */
    struct {
        dev_t device;
        ino_t inode;
        unsigned rights;
    } allowed[LEARNED_MAX];
} landlock = {.rules = -1};

void landlock_begin(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr attr;

    if (version < 1)
        return;
    landlock.handled = FIRST_RIGHTS | (version >= WITH_REFER ? REFER : 0) |
                       (version >= WITH_TRUNCATE ? TRUNCATE : 0) |
                       (version >= WITH_IOCTL_DEV ? IOCTL_DEV : 0);
    attr = (struct landlock_ruleset_attr){.handled_access_fs = landlock.handled};
    landlock.rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
}

void landlock_begin_learning(void)
{
    landlock.learns = true;
}

/* The descriptor stays open here too, so that its inode is not used again. */
static void learn(int fd, enum landlock_use use)
{
    struct stat st;

    if (fd < 0 || landlock.count == LEARNED_MAX || fstat(fd, &st) < 0)
        return;
    landlock.allowed[landlock.count].device = st.st_dev;
    landlock.allowed[landlock.count].inode = st.st_ino;
    landlock.allowed[landlock.count++].rights = rights[use];
}

/* The rights allowed for a file or, for a folder, for everything below it. */
static unsigned rights_of(const char *path)
{
    unsigned found = 0;
    struct stat st;

    if (stat(path, &st) < 0)
        return 0;
    for (unsigned i = 0; i < landlock.count; i++)
        if (landlock.allowed[i].device == st.st_dev && landlock.allowed[i].inode == st.st_ino)
            found |= landlock.allowed[i].rights;
    return found;
}

bool landlock_would_allow(const char *path, enum landlock_action action)
{
    static const unsigned wanted[] = {
        [LANDLOCK_TO_READ] = LANDLOCK_ACCESS_FS_READ_FILE,
        [LANDLOCK_TO_WRITE] = LANDLOCK_ACCESS_FS_WRITE_FILE,
        [LANDLOCK_TO_LIST] = LANDLOCK_ACCESS_FS_READ_DIR,
        [LANDLOCK_TO_MAKE] = MAKE,
        [LANDLOCK_TO_REMOVE] = REMOVE,
    };
    char folder[4096];
    struct stat st;
    unsigned found;

    if (path[0] != '/' || strlen(path) >= sizeof folder || stat(path, &st) < 0)
        return true;
    strcpy(folder, path);
    found = rights_of(folder);
    for (size_t i = strlen(folder); i > 0; i--)
        if (folder[i] == '/') {
            folder[i] = '\0';
            found |= rights_of(folder);
        }
    return ((found | rights_of("/")) & wanted[action]) != 0;
}

/* The kernel recognises the file by its inode, and 9p gives a new inode to each name that is not in
 * use, so the descriptor stays open. Takes the descriptor. */
static void allow_path_descriptor(int fd, enum landlock_use use)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights[use] & landlock.handled,
                                              .parent_fd = fd};

    if (fd >= 0 &&
        syscall(SYS_landlock_add_rule, landlock.rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        close(fd);
}

void landlock_allow(int fd, enum landlock_use use)
{
    char path[32];

    fmt_snprint(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0)
        landlock_allow_path(path, use);
}

void landlock_allow_path(const char *path, enum landlock_use use)
{
    if (landlock.rules >= 0)
        allow_path_descriptor(open(path, O_PATH | O_CLOEXEC), use);
    if (landlock.learns)
        learn(open(path, O_PATH | O_CLOEXEC), use);
}

int landlock_enter(struct error *error)
{
    long result;

    if (landlock.rules < 0)
        return 0;
    result = syscall(SYS_landlock_restrict_self, landlock.rules, 0);
    if (result < 0)
        error_set(error, "Landlock: %s", strerror(errno));
    close(landlock.rules);
    landlock.rules = -1;
    __atomic_store_n(&landlock.entered, result >= 0, __ATOMIC_RELAXED);
    return result < 0 ? -1 : 1;
}

bool landlock_is_entered(void)
{
    return __atomic_load_n(&landlock.entered, __ATOMIC_RELAXED);
}
