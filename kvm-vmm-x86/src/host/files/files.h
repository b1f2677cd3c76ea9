/* Files of the host: images in, guest output out. */
#ifndef HOST_FILES_FILES_H
#define HOST_FILES_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

struct file {
    uint8_t *bytes; /* not to be written to */
    size_t size;
    bool mapped;
    int fd; /* of a plain file, kept open for file_load_again; 0: none */
    struct timespec changed;
};

/* Reads a whole file (or pipe) into memory. A directory, an empty file and more than `limit` bytes
 * are errors, and so is a pipe that has not ended when the program must end (events.h). */
int file_load(struct file *file, const char *path, uint64_t limit, struct error *error) MUST_CHECK;
/* The same for a plain file only: for a path that comes from a file and not from the user, which
 * could name a pipe that blocks the program, or its own input. */
int file_load_plain(struct file *file, const char *path, uint64_t limit,
                    struct error *error) MUST_CHECK;
void file_release(struct file *file);

/* Whether the file is unchanged since it was opened: it was neither written to nor truncated.
 * Truncated bytes read as zeroes. Always true for a pipe. */
bool file_is_unchanged(const struct file *file);

/* Whether two paths name the same plain file. */
bool files_are_one(const char *a, const char *b);

/* Fails as file_load does if the file is not there or must not be read; opens nothing. */
int file_look(const char *path, struct error *error) MUST_CHECK;

/* Whether something of that name exists. */
bool file_is_there(const char *path);

/* Frees the bytes of a plain file, but keeps it open for file_load_again. */
void file_forget(struct file *file);

/* Reads the same plain file once more, whatever its path leads to by now. Fails if it was changed
 * since. Callable from any thread. */
int file_load_again(struct file *again, const struct file *file, struct error *error) MUST_CHECK;

enum { FILE_STDIN = 0, FILE_STDOUT = 1, FILE_STDERR = 2 };

/* A file that is written at the end of a run, and must be known to be writable at its beginning. */
struct outfile {
    const char *path; /* NULL: not asked for */
    int fd;
    bool ours; /* it was not there before */
};

/* Opens or creates it; what it holds stays until the first outfile_write. `path` may be NULL. */
int outfile_open(struct outfile *file, const char *path, struct error *error) MUST_CHECK;

/* Empties it, so that writing begins at its start. */
int outfile_begin(struct outfile *file) MUST_CHECK;
/* 0 or a negative errno; `context` is the outfile. Waits for a reader that takes nothing; -EINTR
 * once the program must end (events.h). */
int outfile_write(void *context, const void *bytes, size_t count) MUST_CHECK;
/* Closes it. 0, or the negative errno of a write that failed. */
int outfile_close(struct outfile *file) MUST_CHECK;
/* Closes it as if it had never been opened. */
void outfile_abandon(struct outfile *file);

/* Opens /dev/null for each standard descriptor that is closed, so that no other file gets its
 * number. */
void files_keep_standard(void);

#endif
