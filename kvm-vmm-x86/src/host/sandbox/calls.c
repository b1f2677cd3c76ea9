/* Which system calls are allowed; see calls.h. If newer and older C libraries use different calls
 * for the same thing, both are listed. */
#include "host/sandbox/calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define INT UINT32_MAX /* the upper half of an int argument is ignored */
#define ALL UINT64_MAX

#define CALL(name)                                                                                 \
    {                                                                                              \
        .number = SYS_##name                                                                       \
    }
#define FOR(needed, name)                                                                          \
    {                                                                                              \
        .number = SYS_##name, .needs = (needed)                                                    \
    }
#define WITH(name, i, m, v)                                                                        \
    {                                                                                              \
        .number = SYS_##name, .conditions = { {(m), (v), (i)} }                                    \
    }
#define FOR_WITH(n, c, i, m, v)                                                                    \
    {                                                                                              \
        .number = SYS_##c, .needs = (n), .conditions = { {(m), (v), (i)} }                         \
    }

#define FILES   (SANDBOX_SHARE | SANDBOX_CACHE)                    /* create and remove files */
#define STATE   (SANDBOX_SNAPSHOT | SANDBOX_FORK | SANDBOX_TRAVEL) /* use the whole VM state */
#define SOCKETS (SANDBOX_SERVER | SANDBOX_NET)

/* clone for a thread of this process: flags that pthread_create needs, and those that a C library
 * may add. */
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define THREAD_OPTIONS                                                                             \
    (CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)
/* clone for a fork of this process. */
#define FORK       SANDBOX_FORK
#define FORK_FLAGS (CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD)

const struct sandbox_call sandbox_calls[] = {
    /* For each exit and each event. */
    CALL(read),
    CALL(write),
    CALL(futex),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_ctl),
    CALL(poll),
    CALL(ppoll),
    CALL(readv),
    CALL(writev),
    CALL(recvfrom), /* a standard stream may be a socket */
    CALL(sendto),
    CALL(pread64),
    CALL(pwrite64),
    FOR(SANDBOX_DISK, io_uring_enter), /* only what aio_uring.c has registered */
    FOR(SANDBOX_DISK | SANDBOX_SHARE, preadv),
    FOR(SANDBOX_DISK | SANDBOX_SHARE, pwritev),
    FOR(SANDBOX_DISK | SANDBOX_SHARE | SANDBOX_SNAPSHOT, fdatasync),
    FOR(SANDBOX_DISK | FILES, fsync),
    FOR(SANDBOX_DISK | SANDBOX_SHARE, fallocate),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(clock_gettime), /* if the vDSO calls the kernel */
    CALL(gettimeofday),
    CALL(time),

    /* Memory; never executable, except with the test device, which only tests use. */
    WITH(mmap, 2, PROT_EXEC, 0),
    WITH(mprotect, 2, PROT_EXEC, 0),
    FOR_WITH(SANDBOX_TESTDEV, mprotect, 2, ALL, PROT_READ | PROT_WRITE | PROT_EXEC),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(brk),
    CALL(memfd_create), /* RAM of a guest that restarts */

    /* Threads and signals. A filter cannot read clone3's flags, which are in memory: clone3 returns
     * ENOSYS, and the C library uses clone. */
    WITH(clone, 0, ~(uint64_t)THREAD_OPTIONS, THREAD_FLAGS),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(gettid),
    CALL(getpid),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(setpriority),
    WITH(prctl, 0, INT, PR_SET_NAME),
    WITH(prctl, 0, INT, PR_GET_NAME),
    CALL(rt_sigaction),
    WITH(tgkill, 0, INT, SANDBOX_SELF),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(restart_syscall),
    CALL(exit),
    CALL(exit_group),

    /* Files. Landlock decides which can be opened. */
    CALL(openat),
    CALL(open),
    CALL(close),
    CALL(fstat),
    CALL(stat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(lseek),
    CALL(access),
    CALL(ftruncate),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getrandom),
    CALL(sysinfo), /* for qsort */
    CALL(eventfd2),
    CALL(epoll_create1),
    WITH(fcntl, 1, INT, F_GETFL),
    WITH(fcntl, 1, INT, F_SETFL),
    WITH(fcntl, 1, INT, F_GETFD),
    WITH(fcntl, 1, INT, F_SETFD),
    WITH(fcntl, 1, INT, F_DUPFD_CLOEXEC),
    CALL(unlink), /* of a socket, at the end; Landlock decides in which folder */
    FOR(FILES | FORK, getdents64),
    FOR(FILES, unlinkat),
    FOR(FILES, renameat),
    FOR(FILES | FORK, mkdir),                 /* FORK: control sockets' folder, which exists */
    FOR_WITH(SANDBOX_CACHE, kill, 1, INT, 0), /* whether the writer of a file still runs */

    FOR(SANDBOX_SNAPSHOT, readlink), /* a snapshot has absolute paths */
    FOR(SANDBOX_SNAPSHOT, getcwd),

    /* Shared folders. */
    FOR(SANDBOX_SHARE, truncate),
    FOR(SANDBOX_SHARE, fstatfs),
    FOR(SANDBOX_SHARE, statx),
    FOR(SANDBOX_SHARE, renameat2),
    FOR(SANDBOX_SHARE, linkat),
    FOR(SANDBOX_SHARE, symlinkat),
    FOR(SANDBOX_SHARE, mkdirat),
    FOR(SANDBOX_SHARE, mknodat), /* Landlock allows no devices */
    FOR(SANDBOX_SHARE, readlinkat),
    FOR(SANDBOX_SHARE | FORK, fchmod),
    FOR(SANDBOX_SHARE, fchmodat),
    FOR(SANDBOX_SHARE, chmod),
    FOR(SANDBOX_SHARE, fchownat),
    FOR(SANDBOX_SHARE, utimensat),
    FOR(SANDBOX_SHARE, faccessat),
    FOR(SANDBOX_SHARE, faccessat2),
    FOR(SANDBOX_SHARE, getxattr),
    FOR(SANDBOX_SHARE, setxattr),
    FOR(SANDBOX_SHARE, listxattr),
    FOR(SANDBOX_SHARE, removexattr),
    FOR(SANDBOX_SHARE | FORK, copy_file_range),
    FOR(SANDBOX_SHARE, syncfs),
    FOR(SANDBOX_SHARE, capget),
    FOR(SANDBOX_SHARE, capset), /* a VMM of root drops the capability that keeps set-user-ID bits */
    FOR(SANDBOX_SHARE, umask),
    FOR_WITH(SANDBOX_SHARE, unshare, 0, ALL, CLONE_FS), /* gives the thread its own umask */

    /* Sockets: the ones already open, and those of clients. */
    FOR(SOCKETS, recvmsg),
    FOR(SOCKETS, sendmsg),
    FOR(SANDBOX_SERVER | SANDBOX_USER_NET, accept4),
    FOR(SANDBOX_SERVER | SANDBOX_USER_NET, getsockopt),
    FOR(SANDBOX_SERVER | SANDBOX_USER_NET, setsockopt),
    FOR(SANDBOX_SERVER | SANDBOX_USER_NET, shutdown),
    FOR(SANDBOX_NET | SANDBOX_DISK, timerfd_settime),
    FOR_WITH(SANDBOX_USER_NET, socket, 0, INT, AF_INET),
    FOR_WITH(SANDBOX_USER_NET, socket, 0, INT, AF_INET6),
    FOR_WITH(SANDBOX_VSOCK | FORK, socket, 0, INT, AF_UNIX),
    FOR(SANDBOX_USER_NET | SANDBOX_VSOCK | FORK, connect),
    FOR(SANDBOX_USER_NET | FORK, bind),
    FOR(SANDBOX_USER_NET | FORK, listen),
    FOR(SANDBOX_USER_NET, accept),
    FOR(SANDBOX_USER_NET, getsockname),
    FOR(SANDBOX_USER_NET, getpeername),

    /* A forked copy of the process, and what it opens before its guest runs. It kicks its threads
     * by tgkill with its own process ID, which is not known yet. */
    FOR_WITH(FORK, clone, 0, ALL, FORK_FLAGS),
    FOR_WITH(FORK, tgkill, 0, UINT32_C(1) << 31, 0), /* any process ID */
    FOR_WITH(FORK, prctl, 0, INT, PR_SET_PDEATHSIG),
    FOR_WITH(FORK, fcntl, 1, INT, F_OFD_SETLK), /* of a disk */
    FOR_WITH(FORK, fcntl, 1, INT, F_ADD_SEALS), /* of a copy's output */
    FOR(FORK, getppid),
    FOR_WITH(FORK, prlimit64, 0, INT, 0), /* its own limit on descriptors */
    FOR(FORK, setsid),
    FOR(FORK, pipe2),
    FOR(FORK, dup2),
    FOR(FORK, signalfd4),
    FOR(FORK, timerfd_create),
};

const unsigned sandbox_call_count = sizeof sandbox_calls / sizeof sandbox_calls[0];

const struct sandbox_ioctl sandbox_ioctls[] = {
    {KVM_RUN, 0},
    {KVM_IRQ_LINE, 0},
    {KVM_INTERRUPT, 0},
    {KVM_SIGNAL_MSI, 0},
    {KVM_GET_REGS, 0},
    {KVM_SET_REGS, 0},
    {KVM_GET_SREGS, 0},
    {KVM_SET_SREGS, 0},
    {KVM_GET_MP_STATE, 0},
    {KVM_SET_MP_STATE, 0},
    {KVM_GET_VCPU_EVENTS, 0},
    {KVM_SET_VCPU_EVENTS, 0},
    {KVM_GET_LAPIC, 0},
    {KVM_SET_LAPIC, 0},
    {KVM_GET_IRQCHIP, 0},
    {KVM_SET_IRQCHIP, 0},
    {KVM_GET_FPU, 0},
    {KVM_SET_FPU, 0},
    {KVM_GET_MSRS, 0},
    {KVM_SET_MSRS, 0},
    {KVM_GET_XSAVE, 0},
    {KVM_SET_XSAVE, 0},
    {KVM_GET_XCRS, 0},
    {KVM_SET_XCRS, 0},
    {KVM_GET_DEBUGREGS, 0},
    {KVM_SET_DEBUGREGS, 0},
    {KVM_GET_TSC_KHZ, 0},
    {KVM_SET_TSC_KHZ, 0},
    {KVM_KVMCLOCK_CTRL, 0},
    {KVM_SET_GUEST_DEBUG, 0},
    {KVM_GET_DIRTY_LOG, 0},
    /* For a machine that restarts, or runs again to explain its end. */
    {KVM_GET_API_VERSION, 0},
    {KVM_CHECK_EXTENSION, 0},
    {KVM_GET_VCPU_MMAP_SIZE, 0},
    {KVM_GET_SUPPORTED_CPUID, 0},
    {KVM_CREATE_VM, 0},
    {KVM_CREATE_VCPU, 0},
    {KVM_CREATE_IRQCHIP, 0},
    {KVM_CREATE_PIT2, 0},
    {KVM_SET_IDENTITY_MAP_ADDR, 0},
    {KVM_SET_TSS_ADDR, 0},
    {KVM_SET_USER_MEMORY_REGION, 0},
    {KVM_SET_CPUID2, 0},
    {KVM_GET_STATS_FD, 0},
    {KVM_IRQFD, 0},
    {KVM_IOEVENTFD, 0},
    /* For a machine that is saved or goes back in time. */
    {KVM_GET_SREGS2, STATE},
    {KVM_SET_SREGS2, STATE},
    {KVM_GET_XSAVE2, STATE},
    {KVM_GET_CPUID2, STATE},
    {KVM_GET_MSR_INDEX_LIST, STATE},
    {KVM_GET_DEVICE_ATTR, STATE},
    {KVM_SET_DEVICE_ATTR, STATE},
    {KVM_GET_CLOCK, STATE},
    {KVM_SET_CLOCK, STATE},
    {KVM_GET_PIT2, STATE},
    {KVM_SET_PIT2, STATE},
    /* For the disk of a copy. */
    {BLKGETSIZE64, FORK},
    {BLKSSZGET, FORK},
    {TIOCSPTLCK, FORK}, /* and its own pseudoterminal */
    /* Terminals; not TIOCSTI, which types into the user's terminal. */
    {TCGETS, 0},
    {TCSETS, 0},
    {TIOCGWINSZ, 0},
    {TIOCGPTN, 0},
    {FIONREAD, 0},
    {FIONBIO, SANDBOX_USER_NET},
    {TUNSETOFFLOAD, SANDBOX_NET},
};

const unsigned sandbox_ioctl_count = sizeof sandbox_ioctls / sizeof sandbox_ioctls[0];

const struct sandbox_naming sandbox_namings[] = {
    {SYS_open, -1, 0, 1, LANDLOCK_TO_READ},       {SYS_openat, 0, 1, 2, LANDLOCK_TO_READ},
    {SYS_truncate, -1, 0, -1, LANDLOCK_TO_WRITE}, {SYS_unlink, -1, 0, -1, LANDLOCK_TO_REMOVE},
    {SYS_unlinkat, 0, 1, -1, LANDLOCK_TO_REMOVE}, {SYS_renameat, 0, 1, -1, LANDLOCK_TO_REMOVE},
    {SYS_renameat, 2, 3, -1, LANDLOCK_TO_MAKE},   {SYS_renameat2, 0, 1, -1, LANDLOCK_TO_REMOVE},
    {SYS_renameat2, 2, 3, -1, LANDLOCK_TO_MAKE},  {SYS_mkdir, -1, 0, -1, LANDLOCK_TO_MAKE},
    {SYS_mkdirat, 0, 1, -1, LANDLOCK_TO_MAKE},    {SYS_mknodat, 0, 1, -1, LANDLOCK_TO_MAKE},
    {SYS_linkat, 2, 3, -1, LANDLOCK_TO_MAKE},     {SYS_symlinkat, 1, 2, -1, LANDLOCK_TO_MAKE},
    {SYS_bind, -1, 1, -1, LANDLOCK_TO_MAKE}, /* in a unix socket's address */
};

const unsigned sandbox_naming_count = sizeof sandbox_namings / sizeof sandbox_namings[0];

bool sandbox_names_a_file(int number)
{
    for (unsigned i = 0; i < sandbox_naming_count; i++)
        if (sandbox_namings[i].number == number)
            return true;
    return false;
}

static const char *const names[] = {
#include "syscalls.inc" /* made from the C library's header */
};

const char *sandbox_call_name(int number)
{
    return number >= 0 && (size_t)number < sizeof names / sizeof names[0] ? names[number] : NULL;
}
