/* The files of the load (load.h): what each round makes, and whether it is there. For the kernel,
 * and for the host program that checks what a machine under that load has written (test/replay.c).
 */
#ifndef SELFTEST_LOAD_FILES_H
#define SELFTEST_LOAD_FILES_H

#include <stddef.h>
#include <stdint.h>

struct inode;

enum { LOAD_FILES = 16, LOAD_WORDS = 10000, LOAD_PATH = 24 };
#define LOAD_COUNTER "/load/round" /* holds the number of the last whole round */

/* The file that a round makes: its name, and its words; how many bytes these are. */
void load_path(uint32_t round, char path[LOAD_PATH]);
size_t load_fill(uint32_t round, uint32_t words[LOAD_WORDS]);

/* Checks the files after `last` rounds; the file of the next round may be in any state. 0, or a
 * round whose file is wrong. `words` is scratch memory. */
uint32_t load_look(struct inode *root, uint32_t last, uint32_t words[LOAD_WORDS]);

#endif
