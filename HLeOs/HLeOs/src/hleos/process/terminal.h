/* The console as a file: what is typed comes line by line, after it was edited. */
#ifndef HLEOS_PROCESS_TERMINAL_H
#define HLEOS_PROCESS_TERMINAL_H

#include <stdbool.h>

#include "process/file.h"

/* A new user of it; NULL if memory is out. */
struct file *terminal_file(bool readable, bool writable) __attribute__((warn_unused_result));
/* Puts it at 0, 1 and 2 of an empty table: false if memory is out, and the table is empty then. */
bool terminal_open(struct file **files) __attribute__((warn_unused_result));

#endif
