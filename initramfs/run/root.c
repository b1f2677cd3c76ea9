/* The file systems of the guest; see root.h. */
#include "initramfs/run/root.h"
#include "initramfs/run/device.h"
#include "initramfs/run/say.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEW "/new"

void root_prepare(void)
{
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
}

static void await_disk(const char *serial, char path[DEVICE_PATH])
{
    for (int i = 0; i < DEVICE_LOOKS; i++) {
        if (device_find("/sys/block", "serial", serial, path))
            return;
        device_nap();
    }
    say_failed(125, "the guest does not find the disk with its root: its kernel needs virtio_mmio "
                    "and virtio_blk");
}

/* If the root is read-only, the host's or one that cannot be written, changes go to an overlay in
 * memory and end with the guest. */
static void mount_root(const struct conf *conf)
{
    const char *place = conf->root_is_written ? NEW : "/lower", *type = "virtiofs";
    unsigned long flags = 0;
    char from[DEVICE_PATH];

    snprintf(from, sizeof from, "%s", conf->root);
    if (conf->root_type != NULL) {
        type = conf->root_type;
        flags = conf->root_is_written ? 0 : MS_RDONLY;
        await_disk(conf->root, from);
    }
    if (mount(from, place, type, flags, NULL) != 0)
        say_failed(125, "the guest cannot mount its root (%s): %s%s", type, strerror(errno),
                   errno == ENODEV ? ", its kernel needs that file system" : "");
    if (conf->root_is_written)
        return;
    if (mount("upper", "/upper", "tmpfs", 0, "mode=0755") != 0 ||
        mkdir("/upper/files", 0755) != 0 || mkdir("/upper/work", 0755) != 0)
        say_failed(125, "the guest cannot make a tmpfs for written files: %s", strerror(errno));
    if (mount("overlay", NEW, "overlay", 0,
              "lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work") != 0)
        say_failed(125, "the guest cannot mount an overlay: %s%s", strerror(errno),
                   errno == ENODEV ? " (its kernel needs overlay)" : "");
}

/* Makes a folder, and those above it. */
static void make_folders(const char *path)
{
    char part[4096];

    for (size_t i = 1; path[i] != '\0' && i < sizeof part - 1; i++) {
        memcpy(part, path, i);
        part[i] = '\0';
        if (path[i] == '/')
            mkdir(part, 0755);
    }
    mkdir(path, 0755);
}

static void mount_folders(const struct conf *conf)
{
    char place[4096];

    for (unsigned i = 0; i < conf->mount_count; i++) {
        snprintf(place, sizeof place, "%s", conf->mounts[i].place);
        make_folders(place);
        if (mount(conf->mounts[i].tag, place, "virtiofs", 0, NULL) != 0)
            say_failed(125, "the guest cannot mount %s: %s", conf->mounts[i].place,
                       strerror(errno));
    }
}

static void move(const char *from, const char *to)
{
    mkdir(to, 0755);
    if (mount(from, to, NULL, MS_MOVE, NULL) != 0)
        say_failed(125, "the guest has no %s: %s", from, strerror(errno));
}

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return; /* the kernel has no network */
    (void)ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

/* Copies the script from the ramdisk, which is not reachable any more: `from` is the open file, or
 * -1 without a script. */
static void put_script(int from)
{
    char bytes[4096];
    ssize_t n = 0;
    int to;

    if (from < 0)
        return;
    to = open("/run/script", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    while (to >= 0 && (n = read(from, bytes, sizeof bytes)) > 0)
        if (write(to, bytes, (size_t)n) != n)
            break;
    if (to < 0 || n != 0)
        say_failed(125, "the guest has no room for the script in /run: %s", strerror(errno));
    close(to);
    close(from);
}

void root_change(const struct conf *conf)
{
    int script = open("/run.script", O_RDONLY | O_CLOEXEC);

    mount_root(conf);
    move("/proc", NEW "/proc");
    move("/sys", NEW "/sys");
    move("/dev", NEW "/dev");
    if (chdir(NEW) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0)
        say_failed(125, "the guest cannot enter its root: %s", strerror(errno));
    mkdir("/run", 0755);
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
    put_script(script);
    mkdir("/dev/pts", 0755);
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
    mkdir("/dev/shm", 01777);
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    if (symlink("/proc/self/fd", "/dev/fd") != 0 || symlink("/proc/self/fd/0", "/dev/stdin") != 0 ||
        symlink("/proc/self/fd/1", "/dev/stdout") != 0 ||
        symlink("/proc/self/fd/2", "/dev/stderr") != 0)
        perror("run: /dev/fd"); /* on the kernel's console; most programs do without */
    mount_folders(conf);        /* last, so that no other mount covers them */
    raise_loopback();
    umask(022);
}

void root_end(const struct conf *conf)
{
    if (conf->root_type == NULL || !conf->root_is_written)
        return;
    kill(-1, SIGKILL); /* a process with a file open for writing prevents the read-only remount */
    for (int i = 0; i < DEVICE_LOOKS && waitpid(-1, NULL, WNOHANG) >= 0; i++)
        device_nap();
    sync();
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
        perror("run: the root cannot be made read-only, its file system is left as after a power "
               "failure"); /* on the kernel's console */
}
