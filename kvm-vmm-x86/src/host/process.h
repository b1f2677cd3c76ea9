/*
 * Copies of this process: fork(2), for a VMM whose threads all stand still. The copy has the memory
 * and the files, no thread but the caller's, and nothing of what it would share with its origin
 * otherwise: descriptors of KVM, of events, rings, pipes, sockets and terminals are closed, and its
 * standard streams lead elsewhere.
 */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The program has 14 MB of variables, of which a run uses few. This keeps the kernel from giving
 * them 2 MB pages. */
void process_use_small_pages(void);

struct process {
    int pid;
    int report; /* a pipe from the copy to its origin; each has its end */
};

/* Where the standard streams of a copy lead. */
struct process_streams {
    const char *output; /* the file of output and error; NULL: the descriptors */
    int out, err;       /* owned by the caller */
    const char *typed;  /* what it reads from standard input; and then */
    bool ends;          /* the end, or else it waits for more */
};

/* 0 in the copy, 1 in the origin; -1, in the origin alone, if it fails. `bound`: the copy ends when
 * the thread that made it does. */
int process_copy(struct process *process, bool bound, struct error *error) MUST_CHECK;
/* For the copy, once it has given back the mappings that it shares (of KVM, of rings): closes what
 * it shares otherwise. */
void process_settle(const struct process *process, const struct process_streams *streams);

/* For the copy: reports that its run has begun; and ends the copy, without writing the parent's
 * buffered output. The status is `word & 0xff`; the parent gets the whole word. */
void process_report(const struct process *process);
_Noreturn void process_end(const struct process *process, uint16_t word);

/* For the parent: the next report of the copy, without waiting. PROCESS_LOST: the copy has ended
 * without a report. After that, and after PROCESS_ENDED, the pipe is closed. */
enum process_news { PROCESS_QUIET, PROCESS_BEGUN, PROCESS_ENDED, PROCESS_LOST };
enum process_news process_hear(struct process *process, uint16_t *word) MUST_CHECK;

/* For the origin: it does not listen any more. */
void process_forget(struct process *process);

/* A path that opens the file of a descriptor of this process again. */
enum { PROCESS_PATH_MAX = 32 };
void process_path(char path[PROCESS_PATH_MAX], int fd);

#endif
