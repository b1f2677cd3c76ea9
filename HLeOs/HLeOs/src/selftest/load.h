/* A load for a machine that is killed (load=forever on the command line), and a look at what it
 * left (load=check). */
#ifndef SELFTEST_LOAD_H
#define SELFTEST_LOAD_H

/*
 * In order, and prints: what an earlier run left must be the files as they were after one round, or
 * in the middle of the next: "load: found round N". If it is not so the machine ends as failed.
 * Then rounds go on from there, and "load: synced N" says that round N is surely on the disk.
 */
void load_run(const char *option) __attribute__((noreturn));

#endif
