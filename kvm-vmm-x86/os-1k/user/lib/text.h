/* Text and numbers, in and out. */
#ifndef USER_LIB_TEXT_H
#define USER_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fmt.h"

/* Where files live, in words: the kernel has no disk yet. */
#define STORE(info)                                                                                \
    ((info).features & SYSTEM_DISK ? "memory, and on the disk" : "memory, until power off")

/* Prints in one system call what fits its buffer. */
void text_print(const char *format, ...) FMT_PRINTF(1, 2);

/* Reads a decimal number, with or without a sign, that fits an int and is the whole text. */
bool text_to_int(const char *text, int *value);

/* The argument `index` as a number from `low` to `high`, or `otherwise` if there is no such
 * argument. Ends the program with a message if it is there and wrong. */
int text_argument(int argc, char **argv, int index, int low, int high, int otherwise);

/* What an error of include/system.h means. */
const char *text_error(int error);

#endif
