/* The guest's initial ramdisk; see ramdisk.h. */
#include "run/ramdisk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/cpio.h"
#include "run/modules.h"

extern const uint8_t run_init[], run_init_end[];

enum { MODULES_WANTED = 14, ARGUMENTS_MAX = 4096 /* initramfs/run/conf.h */ };

static void put_word(char **at, const char *end, char kind, const char *text)
{
    int n = snprintf(*at, (size_t)(end - *at), "%c%s", kind, text);

    *at += n < end - *at ? n + 1 : end - *at;
}

static void put_variable(char **at, const char *end, const char *name)
{
    char *text;

    if (strchr(name, '=') != NULL)
        put_word(at, end, 'e', name);
    else if (getenv(name) != NULL && asprintf(&text, "%s=%s", name, getenv(name)) >= 0) {
        put_word(at, end, 'e', text);
        free(text);
    }
}

/* Whether the user has set a variable, so that it is not passed twice. */
static bool is_named(const struct run_request *r, const char *name)
{
    size_t length = strlen(name);

    for (unsigned i = 0; i < r->variable_count; i++)
        if (strncmp(r->variables[i], name, length) == 0 &&
            (r->variables[i][length] == '\0' || r->variables[i][length] == '='))
            return true;
    return false;
}

/* /run.conf: initramfs/run/conf.h. False: it is too long for the guest. */
static bool put_conf(struct cpio *cpio, const struct run_ramdisk *what)
{
    static const char *const variables[] = {"PATH", "HOME",   "USER",     "LOGNAME",  "TERM",
                                            "LANG", "LC_ALL", "LC_CTYPE", "COLORTERM"};
    const char *shell = getenv("SHELL") != NULL ? getenv("SHELL") : "/bin/sh";
    const struct run_request *r = what->request;
    size_t room = 1 << 20;
    char *conf = malloc(room), *at = conf, *end = conf + room, tag[16];
    bool fits;

    if (conf == NULL)
        return false;
    if (r->script != NULL) {
        if (what->script->size < 2 || memcmp(what->script->bytes, "#!", 2) != 0)
            put_word(&at, end, 'a', "sh");
        put_word(&at, end, 'a', "/run/script");
    }
    for (unsigned i = 0; r->command != NULL && r->command[i] != NULL; i++) {
        put_word(&at, end, 'a', r->command[i]);
        if (i == ARGUMENTS_MAX - 2)
            at = end; /* too long: the guest would ignore the rest */
    }
    if (r->shell)
        put_word(&at, end, 'a', shell);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (!is_named(r, variables[i]))
            put_variable(&at, end, variables[i]);
    for (unsigned i = 0; i < r->variable_count; i++)
        put_variable(&at, end, r->variables[i]);
    put_word(&at, end, 'c', what->folder);
    if (what->terminal)
        put_word(&at, end, 't', "");
    if (r->each != NULL)
        put_word(&at, end, 'f', "");
    if (what->image->type != NULL) {
        put_word(&at, end, what->image->written ? 'd' : 'r', RUN_ROOT_DISK);
        put_word(&at, end, 'b', what->image->type);
    } else {
        put_word(&at, end, 'r', "share0");
    }
    for (unsigned i = what->image->type == NULL; i < what->guest->share_count; i++) {
        const struct share_config *share = &what->guest->shares[i];
        char path[PATH_MAX], whole[PATH_MAX];

        snprintf(path, sizeof path, "%.*s", (int)share->path_length, share->path);
        if (realpath(path, whole) == NULL)
            continue; /* opening it will report the error */
        snprintf(tag, sizeof tag, "share%u", i);
        put_word(&at, end, 'm', tag);
        put_word(&at, end, 'p', whole);
    }
    fits = at < end;
    cpio_file(cpio, "run.conf", 0600, conf, (size_t)(at - conf));
    free(conf);
    return fits;
}

/* Chooses the modules that the guest's devices need. */
static void choose_modules(const char *modules[MODULES_WANTED], const struct run_ramdisk *what)
{
    const struct guest_config *g = what->guest;
    const bool disk = what->image->type != NULL;
    const struct {
        const char *name;
        bool wanted;
    } all[MODULES_WANTED - 1] = {
        {run_modules_bus(g), true},
        {"virtio_console", true},
        {"virtiofs", g->share_count > 0},
        {"overlay", !disk || !what->image->written},
        {"virtio_blk", g->disk_count > 0},
        {"?crc32c_generic", disk}, /* file systems ask for it when they are mounted */
        {what->image->type, disk},
        {"virtio_net", g->net_count > 0},
        {"virtio_rng", g->rng},
        {"virtio_balloon", g->balloon},
        {"vmw_vsock_virtio_transport", g->vsock.cid != 0},
        {"pvpanic-mmio", g->pvpanic},
        {"wdat_wdt", g->watchdog != WATCHDOG_NONE},
    };
    unsigned count = 0;

    for (unsigned i = 0; i < MODULES_WANTED - 1; i++)
        if (all[i].wanted)
            modules[count++] = all[i].name;
    modules[count] = NULL;
}

int run_ramdisk_make(const struct run_ramdisk *what, char path[RUN_RAMDISK_PATH],
                     struct error *error)
{
    const char *modules[MODULES_WANTED];
    static const char *const folders[] = {"dev", "proc", "sys", "modules", "lower", "upper", "new"};
    int fd = memfd_create("ramdisk", MFD_CLOEXEC);
    struct cpio cpio = {0};
    size_t written = 0;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        cpio_folder(&cpio, folders[i]);
    cpio_device(&cpio, "dev/console", 5, 1);
    cpio_device(&cpio, "dev/null", 1, 3);
    cpio_file(&cpio, "init", 0755, run_init, (size_t)(run_init_end - run_init));
    if (what->request->script != NULL)
        cpio_file(&cpio, "run.script", 0600, what->script->bytes, what->script->size);
    choose_modules(modules, what);
    if (run_modules_add(&cpio, what->kernel, modules, error) < 0)
        return -1;
    if (!put_conf(&cpio, what))
        return error_set(error, "the command and its environment are too long");
    cpio_end(&cpio);
    if (fd < 0 || cpio.failed)
        return error_set(error, "no memory for the guest's ramdisk");
    while (written < cpio.size) {
        ssize_t n = write(fd, cpio.bytes + written, cpio.size - written);

        if (n <= 0)
            return error_set(error, "the guest's ramdisk: %s", strerror(errno));
        written += (size_t)n;
    }
    free(cpio.bytes);
    snprintf(path, RUN_RAMDISK_PATH, "/proc/self/fd/%d", fd);
    return 0;
}
