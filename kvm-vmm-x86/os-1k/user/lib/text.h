/* Text and numbers, in and out. */
#ifndef USER_LIB_TEXT_H
#define USER_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fmt.h"

/* Prints in one system call what fits its buffer. */
void text_print(const char *format, ...) FMT_PRINTF(1, 2);

/* Reads a decimal number, with or without a sign, that fits an int and is the whole text. */
bool text_to_int(const char *text, int *value);

/* The argument `index` as a number from `low` to `high`, or `otherwise` if there is no such
 * argument. Ends the program with a message if it is there and wrong. */
int text_argument(int argc, char **argv, int index, int low, int high, int otherwise);

/* Where files are kept, by enum system_features. */
const char *text_store(uint32_t features);

/* What an error of include/system.h means. */
const char *text_error(int error);

#endif
