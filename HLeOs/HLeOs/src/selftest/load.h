/* A load for a machine that is killed (load=forever on the command line), and a look at what it
 * left (load=check). */
#ifndef SELFTEST_LOAD_H
#define SELFTEST_LOAD_H

/*
 * First checks what an earlier run left: the files as after some round N, or in the middle of the
 * next; prints "load: found round N", or ends the machine as failed. Then continues with the next
 * rounds; "load: synced N" means that round N is on the disk.
 */
void load_run(const char *option) __attribute__((noreturn));

#endif
