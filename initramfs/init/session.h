/* The programs that init runs: each a session of its own, and all children buried. */
#ifndef INITRAMFS_SESSION_H
#define INITRAMFS_SESSION_H

#include <sys/types.h>

/* Signals to init are taken by session_wait, one at a time, and never interrupt. */
void session_block_signals(void);

/* Makes a link to busybox for each program that it is, in an image that has it. */
void session_install_applets(void);

/* Starts a program in the background; no shell is needed for it. */
pid_t session_start_agent(const char *program);

/*
 * Waits for the end of a process, and buries every orphan meanwhile. Returns its status as a shell
 * tells it: 128 + N for signal N. Does not return when somebody orders the machine's end, by
 * busybox's signals (SIGUSR1 and SIGUSR2 for power-off, SIGTERM for restart) or by the power
 * button.
 */
int session_wait(pid_t process);

/* Runs `command`, or an interactive shell for NULL, on the console as its controlling terminal. The
 * status is the one of session_wait(). */
int session_run(const char *command);

#endif
