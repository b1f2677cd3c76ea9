/* See boot.h. The order matters: first the share of the root, which is then entered, then the other
 * shares, and last the machine's own file systems, which cover the host's directories. */
#include "lab/agent/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/agent/say.h"
#include "lab/agent/share.h"

#define SHARE "trans=virtio,version=9p2000.L,msize=512000,access=client,"

static void must(bool good, const char *step, const char *object)
{
    if (good)
        return;
    say("cannot %s %s: %s", step, object, strerror(errno));
    exit(1); /* the machine ends with the agent */
}

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags,
                     const char *data)
{
    must(mount(source, target, type, flags, data) == 0, "mount", target);
}

/* Paths are percent-encoded, since spaces separate the words of the command line. */
static void decode_path(const char *in, char *out, size_t size)
{
    size_t used = 0;

    while (*in && *in != ' ' && *in != '\n' && used + 1 < size) {
        unsigned byte;

        if (in[0] == '%' && sscanf(in + 1, "%2x", &byte) == 1) {
            out[used++] = (char)byte;
            in += 3;
        } else {
            out[used++] = *in++;
        }
    }
    out[used] = '\0';
}

static const char *option(const char *name)
{
    const char *value = getenv(name);

    if (value)
        return value;
    say("no %s on the kernel's command line", name);
    exit(1);
}

static void read_options(struct boot_options *options)
{
    decode_path(option("lab_repository"), options->repository, sizeof(options->repository));
    options->idle = (unsigned)strtoul(option("lab_idle"), NULL, 10);
    options->lines = (unsigned)strtoul(option("lab_lines"), NULL, 10);
}

/* Moves init's mounts to the new root, with the mounts below them: /dev/pts, /dev/shm. */
static void move_mounts(const char *root)
{
    static const char *const taken[] = {"/proc", "/sys", "/dev"};
    char target[64];

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        snprintf(target, sizeof(target), "%s%s", root, taken[i]);
        must(mount(taken[i], target, NULL, MS_MOVE, NULL) == 0, "move", taken[i]);
    }
}

/* The share of the host's root is not cached, so that changes on the host are visible. /usr, which
 * has all programs and libraries, is cached: a command starts twenty times as fast.
 * refresh_machine() drops that cache after a change. */
static void enter_host_root(void)
{
    static const char root[] = "/host";

    mkdir(root, 0755);
    mount_at("root", root, "9p", MS_RDONLY, SHARE "cache=mmap");
    move_mounts(root);
    must(chdir(root) == 0, "enter", root);
    mount_at(".", "/", NULL, MS_MOVE, NULL);
    must(chroot(".") == 0 && chdir("/") == 0, "enter", "the host's root");
    mount_at("usr", "/usr", "9p", MS_RDONLY, SHARE "cache=loose");
}

static void mount_own(void)
{
    mount_at("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
    if (mount("tmpfs", "/var/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0)
        say("cannot mount /var/tmp: %s", strerror(errno));
    mkdir("/run/lock", 01777);
    mount_at("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static void link_descriptors(void)
{
    static const char *const links[][2] = {
        {"/proc/self/fd", "/dev/fd"},
        {"/proc/self/fd/0", "/dev/stdin"},
        {"/proc/self/fd/1", "/dev/stdout"},
        {"/proc/self/fd/2", "/dev/stderr"},
    };

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlink(links[i][0], links[i][1]) != 0 && errno != EEXIST)
            say("cannot make %s: %s", links[i][1], strerror(errno));
}

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        say("no loopback network: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
}

/*
 * The machine measures its clock twice: at its start, which gives the rate that KVM takes when it
 * is loaded, and again two seconds later. On a busy host the two differ by more than KVM tolerates
 * (0.025 %). It then refuses every vCPU its rate ("user requested TSC rate below hardware speed" in
 * dmesg), and guests with two vCPUs stop for good.
 */
static void tolerate_clock(void)
{
    int fd = open("/sys/module/kvm/parameters/tsc_tolerance_ppm", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "100000", 6) != 6)
        say("cannot set KVM's tsc_tolerance_ppm: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void open_kvm(void)
{
    tolerate_clock();
    if (chmod("/dev/kvm", 0666) != 0)
        say("no /dev/kvm in the machine: %s", strerror(errno));
}

void boot_machine(struct boot_options *options)
{
    read_options(options);
    enter_host_root();
    mount_own();
    link_descriptors();
    must(share_mount(options->repository) == 0, "mount", "what commands may write");
    raise_loopback();
    must(sethostname("lab", 3) == 0, "set", "the host's name");
    open_kvm();
}
