/* Pipes: what is written to one end is read from the other. */
#ifndef HLEOS_PROCESS_PIPE_H
#define HLEOS_PROCESS_PIPE_H

#include <stdbool.h>

#include "process/file.h"

/* ends[0] to read from, ends[1] to write to; false if memory is out. */
bool pipe_create(struct file **ends) __attribute__((warn_unused_result));

#endif
