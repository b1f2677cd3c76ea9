/* The system calls that a run may make once it is set up; docs/sandbox.md tells how to add one. */
#ifndef HOST_SANDBOX_CALLS_H
#define HOST_SANDBOX_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/sandbox/landlock.h"

/* What a run uses that needs more system calls than others. */
enum sandbox_need {
    SANDBOX_SHARE = 1 << 0,    /* shared folders */
    SANDBOX_SERVER = 1 << 1,   /* sockets where clients connect: --gdb, --control, unix:PATH */
    SANDBOX_USER_NET = 1 << 2, /* --net user: libslirp's sockets */
    SANDBOX_NET = 1 << 3,      /* any network card */
    SANDBOX_DISK = 1 << 4,
    SANDBOX_CACHE = 1 << 5,    /* a kernel that may be in the user's cache */
    SANDBOX_SNAPSHOT = 1 << 6, /* --control */
    SANDBOX_VSOCK = 1 << 7,    /* --vsock: unix sockets to connect to */
    SANDBOX_FORK = 1 << 8,     /* copies of the process, which are set up in the same sandbox */
    SANDBOX_TRAVEL = 1 << 9,   /* --gdb: a guest that is taken back in time */
    SANDBOX_TESTDEV = 1 << 10, /* --machine testdev: ram_forget_mapped() */
};

enum { SANDBOX_CONDITIONS_MAX = 2 };

/* In the tables the number of this process, which only a run knows. No process has this one. */
#define SANDBOX_SELF UINT32_C(0x7fffbeef)

struct sandbox_call {
    int number;     /* SYS_... */
    unsigned needs; /* the run must have one of these; 0: every run may make the call */
    /* Of its arguments; all must hold: argument & mask == value. */
    struct sandbox_condition {
        uint64_t mask; /* 0: there is no such condition */
        uint64_t value;
        unsigned argument;
    } conditions[SANDBOX_CONDITIONS_MAX];
};

/* In the order of how often they are made. A call may stand there several times. */
extern const struct sandbox_call sandbox_calls[];
extern const unsigned sandbox_call_count;

/* The ioctls, by their number, and what they need; KVM_RUN comes first. */
struct sandbox_ioctl {
    unsigned request, needs;
};
extern const struct sandbox_ioctl sandbox_ioctls[];
extern const unsigned sandbox_ioctl_count;

/* The calls of sandbox_calls that name files, a row for each: where its folder's descriptor, its
 * path and its flags are, or -1, and what is done with it. With --sandbox=learn these calls are
 * reported, since Landlock is not in force. */
struct sandbox_naming {
    int number, folder, path, flags;
    enum landlock_action action; /* where there are flags, these say */
};
extern const struct sandbox_naming sandbox_namings[];
extern const unsigned sandbox_naming_count;

bool sandbox_names_a_file(int number);

/* "openat"; NULL: no call has that number. Callable from a signal handler. */
const char *sandbox_call_name(int number);

#endif
