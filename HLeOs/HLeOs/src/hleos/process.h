/*
 * Programs: each is a thread with an address space of its own (memory/space.h), in ring 3. They are
 * ELF files that the kernel's image contains (process/programs.h).
 */
#ifndef HLEOS_PROCESS_H
#define HLEOS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

struct process;

enum process_error {
    PROCESS_NO_SUCH = -1,   /* no program has that name */
    PROCESS_NO_MEMORY = -2, /* or no thread */
    PROCESS_NOT_ELF = -3,   /* not a statically linked ELF file for x86-64 */
    PROCESS_BAD_SEGMENT =
        -4,                 /* one writable and executable, or it or the entry where none may be */
    PROCESS_ARGUMENTS = -5, /* too many of them, or too long */
};

/* Programs may use system calls from here on. */
void process_init(void);

/* Starts a program with these words as its arguments, the first its name. 0, or an error. */
int process_start(int argc, const char *const *argv, struct process **process)
    __attribute__((warn_unused_result));
/* The same for a file's bytes. */
int process_start_file(const void *file, size_t size, int argc, const char *const *argv,
                       struct process **process) __attribute__((warn_unused_result));

/* Waits until it ends, and frees it: its status, 0 to 255, or THREAD_FAULTED and the exception. */
intptr_t process_wait(struct process *process);

const char *process_error_text(int error);

#endif
