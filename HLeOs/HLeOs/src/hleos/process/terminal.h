/* The console as a file: input comes line by line, after it was edited. */
#ifndef HLEOS_PROCESS_TERMINAL_H
#define HLEOS_PROCESS_TERMINAL_H

#include <stdbool.h>

#include "process/file.h"

/* Opens it; NULL: out of memory. */
struct file *terminal_file(bool readable, bool writable) __attribute__((warn_unused_result));
/* Opens it as files 0, 1 and 2 of an empty table. False: out of memory; the table is then empty. */
bool terminal_open(struct file **files) __attribute__((warn_unused_result));

#endif
