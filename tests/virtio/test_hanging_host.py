"""A run can end even if a file system of the host does not answer."""
import subprocess
from pathlib import Path

from tests.support import lab_run

# An open() of a file with "stuck" in its name never returns, nor does a read of the disk's second megabyte. Without
# io_uring, whose reads the kernel makes, each read has a thread.
HANG = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void hang(void)
{
    (void)!write(2, "hangs\\n", 6);
    for (;;)
        poll(NULL, 0, -1);
}

__attribute__((constructor)) static void begin(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(99);
}

static int look_at(int fd, int flags)
{
    char name[256] = "", link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (fd >= 0 && !(flags & O_PATH) && readlink(link, name, sizeof name - 1) > 0 && strstr(name, "stuck"))
        hang();
    return fd;
}

#define OPENS(name, ...) \\
    {                                                                                     \\
        va_list args;                                                                     \\
        va_start(args, flags);                                                            \\
        int mode = va_arg(args, int);                                                     \\
        va_end(args);                                                                     \\
        return look_at(((int (*)())dlsym(RTLD_NEXT, name))(__VA_ARGS__, flags, mode), flags);\\
    }

int open(const char *path, int flags, ...) OPENS("open", path)
int openat(int folder, const char *path, int flags, ...) OPENS("openat", folder, path)

ssize_t preadv(int fd, const struct iovec *to, int count, off_t at)
{
    ssize_t (*real)(int, const struct iovec *, int, off_t) =
        (ssize_t (*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "preadv");

    if (at >= 1 << 20)
        hang();
    return real(fd, to, count, at);
}
"""


def test_it_ends(linux, modules, scratch):
    (scratch / "hang.c").write_text(HANG)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", scratch / "hang.so", scratch / "hang.c"], check=True)
    (scratch / "shared").mkdir()
    (scratch / "shared/stuck").write_text("never read\n")
    with open(scratch / "disk", "wb") as disk:
        disk.truncate(4 << 20)
    command = linux.command("cloud", *modules("virtio_mmio", "virtio_blk", "virtiofs"), "-c", "2",
                            "--share", scratch / "shared", "--disk", scratch / "disk",
                            run="mkdir /m; mount -t virtiofs share0 /m; cat /m/stuck & "
                                "dd if=/dev/vda of=/dev/null bs=4k count=1 skip=512 iflag=direct; wait")
    result = lab_run("/usr/bin/python3", Path(__file__).with_name("hanging_host.py"), "SIGTERM", *command,
                     env={"HANG": str(scratch / "hang.so")})
    assert result.status == 0, result
