/*
 * Information about the kernel, as text: the files of /proc, and the shell's commands that show the
 * same. A file's text is made when it is opened, and does not change after that.
 */
#ifndef HLEOS_PROCESS_PROC_H
#define HLEOS_PROCESS_PROC_H

#include <stddef.h>
#include <stdint.h>

#include "common/fmt.h"
#include "process/file.h"

/* At boot process.c, a layer above, registers the function that prints the list of processes. */
void proc_attach_processes(void (*print)(struct fmt_sink *out));

/* The name of the `index`th file; NULL beyond the last. */
const char *proc_name(size_t index);
/* That file, opened; NULL if memory is out. `inode` is what stat() gives as its number. */
struct file *proc_open(size_t index, uint32_t inode) __attribute__((warn_unused_result));
/* Writes the text of that file to the console. */
void proc_show(const char *name);

#endif
