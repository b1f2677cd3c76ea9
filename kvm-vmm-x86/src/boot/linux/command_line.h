/*
 * A Linux kernel's command line: what this VMM proposes, then the user's words. A proposal whose
 * parameter the user names himself is left out.
 */
#ifndef BOOT_LINUX_COMMAND_LINE_H
#define BOOT_LINUX_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the line into `line`; returns its length, which is `size` or more if it did not fit (as
 * snprintf does). */
size_t command_line_make(char *line, size_t size, const char *append);

/* Whether a kernel with this line makes a panic's reset a warm one, and any other a cold one:
 * reset.h. */
bool command_line_tells_panic(const char *append);

#endif
