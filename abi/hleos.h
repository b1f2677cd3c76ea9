/*
 * System calls of HLeOs, by the names of xv6 and, where it has them, its numbers. By SYSCALL or by
 * `int $0x80`: the number in RAX, arguments in RDI, RSI, RDX, the result in RAX; -1 is every error.
 * SYSCALL changes RCX and R11; all other registers are kept.
 */
#ifndef ABI_HLEOS_H
#define ABI_HLEOS_H

#include <stdint.h>

#define HLEOS_FORK   1 /* (): the child's number; 0 in the child */
#define HLEOS_EXIT   2 /* (int status): does not return; the status's low 8 bits count */
#define HLEOS_WAIT   3 /* (int *status, or NULL): the number of a child that has ended */
#define HLEOS_PIPE   4 /* (int files[2]): to read from, to write to */
#define HLEOS_READ   5 /* (int file, void *bytes, size_t count): how many were read; 0 at the end */
#define HLEOS_KILL   6 /* (int process) */
#define HLEOS_EXEC   7 /* (const char *path, char **argv): returns only where it failed */
#define HLEOS_FSTAT  8 /* (int file, struct hleos_stat *stat) */
#define HLEOS_CHDIR  9 /* (const char *path) */
#define HLEOS_DUP    10 /* (int file): the least number that is free */
#define HLEOS_GETPID 11 /* () */
#define HLEOS_SBRK   12 /* (long bytes): the old end of the data, which grows or shrinks by that */
#define HLEOS_SLEEP  13 /* (unsigned long milliseconds) */
#define HLEOS_UPTIME 14 /* (): milliseconds since boot */
#define HLEOS_OPEN   15 /* (const char *path, int how): enum hleos_open */
#define HLEOS_WRITE  16 /* (int file, const void *bytes, size_t count): how many were written */
#define HLEOS_MKNOD  17 /* (const char *path, int device): enum hleos_device */
#define HLEOS_UNLINK 18 /* (const char *path) */
#define HLEOS_LINK   19 /* (const char *old, const char *new) */
#define HLEOS_MKDIR  20 /* (const char *path) */
#define HLEOS_CLOSE  21 /* (int file) */

/* Not xv6's. */
#define HLEOS_LSEEK  22 /* (int file, long offset, int from): enum hleos_seek; the new place */
#define HLEOS_FSYNC  23 /* (int file): 0 when all that was written before is on the disk */
#define HLEOS_MMAP   24 /* (size_t size, int file, long offset): the address; file -1: zeros */
#define HLEOS_MUNMAP 25 /* (void *address, size_t size): all of what one mmap() gave */
#define HLEOS_SYSTEM 33 /* (struct hleos_system *system) */

/* What wait() says of a child: what it gave exit(), or one of these. */
#define HLEOS_STATUS_FAULT  0x100 /* and the exception's vector: a fault ended it */
#define HLEOS_STATUS_KILLED 0x200

enum hleos_open {
    HLEOS_OPEN_READ = 0,
    HLEOS_OPEN_WRITE = 1,
    HLEOS_OPEN_READ_WRITE = 2,
    HLEOS_OPEN_CREATE = 0x200,
    HLEOS_OPEN_TRUNCATE = 0x400,
};

enum hleos_device { HLEOS_DEVICE_CONSOLE = 1, HLEOS_DEVICE_NULL = 2 };

enum hleos_seek { HLEOS_SEEK_SET = 0, HLEOS_SEEK_CURRENT = 1, HLEOS_SEEK_END = 2 };

enum hleos_type { HLEOS_DIRECTORY = 1, HLEOS_FILE = 2, HLEOS_DEVICE = 3, HLEOS_PIPE_END = 4 };

struct hleos_stat {
    uint16_t type, links; /* enum hleos_type */
    uint32_t inode;
    uint64_t size;
};

/* What read() gives of a directory, whole ones. */
enum { HLEOS_NAME_MAX = 59 };
struct hleos_entry {
    uint32_t inode;
    char name[HLEOS_NAME_MAX + 1]; /* ends with a zero byte */
};

struct hleos_system {
    uint64_t pages_free,
        pages_usable;    /* free ones with those that the kernel's heap has in store */
    uint64_t switches;   /* of threads, since boot */
    uint64_t heap_bytes; /* in blocks of the kernel's heap */
    uint32_t processes;
    uint32_t blocks_free; /* of the file system; 0 without one */
};

#endif
