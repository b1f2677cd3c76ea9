/*
 * Programs: each process is a thread with an address space of its own (memory/space.h), in ring 3.
 *
 * Fields marked `tree` (parents, ended processes) are guarded by one mutex; all others are changed
 * only by the process's thread. When it ends, a process frees its files and memory; its number and
 * status stay until the parent has waited for it. If the parent has ended before, init becomes the
 * parent; without init nothing is kept.
 */
#ifndef HLEOS_PROCESS_H
#define HLEOS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/hleos.h"
#include "interrupt/frame.h"
#include "memory/space.h"
#include "process/file.h"
#include "std/queue.h"
#include "thread.h"
#include "thread/sync.h"

enum { PROCESS_MAX = 256, PROCESS_MAPPINGS = 16 };

/* Whole pages; size 0: not in use. */
struct process_mapping {
    uintptr_t at;
    uint64_t size;
};

struct inode;

enum process_error {
    PROCESS_NO_SUCH = -1,   /* no file of that name, or none that can be read */
    PROCESS_NO_MEMORY = -2, /* or no thread, or as many processes as there may be */
    PROCESS_NOT_ELF = -3,   /* not a statically linked ELF file for x86-64 */
    PROCESS_BAD_SEGMENT =
        -4,                 /* one writable and executable, or it or the entry where none may be */
    PROCESS_ARGUMENTS = -5, /* too many of them, or too long */
};

/* What a program needs to start. */
struct process_image {
    struct space space;
    uintptr_t data_begin, data_end; /* the range that sbrk() has added, and may remove */
    struct process_mapping mappings[PROCESS_MAPPINGS]; /* process/mapping.h */
    struct interrupt_frame frame;                      /* the registers it begins with */
};

struct process {
    unsigned id;
    struct file *files[FILE_TABLE];
    struct inode *directory; /* held; NULL: the root */
    struct thread *thread;
    char name[THREAD_NAME_MAX]; /* tree */

    struct queue_link all;             /* tree */
    struct process *parent;            /* tree; NULL: the kernel's, or an orphan without init */
    bool killed;                       /* tree for writing; it ends before it returns to ring 3 */
    bool orphan, ended;                /* tree; an orphan is freed when it ends */
    int status;                        /* tree; as wait() gives it (abi/hleos.h) */
    struct sync_condition child_ended; /* tree */

    /* create() does not clear these two: its callers fill them in. */
    struct process_image image;
    uint8_t fpu[512] __attribute__((aligned(16)));
};

void process_init(void);

/* Starts a program for the calling thread, with these words as its arguments and the console as its
 * files. The first word is its name: a path, or what stands behind /bin/. 0, or an error. */
int process_start(int argc, const char *const *argv, struct process **process)
    __attribute__((warn_unused_result));
/* The same for a file's bytes. */
int process_start_file(const void *file, size_t size, int argc, const char *const *argv,
                       struct process **process) __attribute__((warn_unused_result));
/* Waits until a process that the caller started ends, frees it, and returns its status. */
int process_wait(struct process *process);
/* The same for init: until it ends it becomes the parent of each process whose parent ends. Then
 * all other processes are killed. */
int process_wait_init(struct process *process);

/* The system calls, for the calling process; `frame` has the registers with which it returns. */
int process_fork(const struct interrupt_frame *frame);
int process_exec(const char *path, int argc, const char *const *argv,
                 struct interrupt_frame *frame);
/* The number of a child that has ended. Its status goes to that address of the caller's, unless it
 * is 0. -1 if there is no child, the address is bad, or the caller has been killed. */
int process_wait_child(uintptr_t status);
void process_exit(int status) __attribute__((noreturn));
int process_kill(unsigned id);

unsigned process_count(void);

const char *process_error_text(int error);

#endif
