/* The programs that init runs: each a session of its own, and all children buried. */
#ifndef INITRAMFS_SESSION_H
#define INITRAMFS_SESSION_H

/* Signals to init are taken by session_run, one at a time, and never interrupt. */
void session_block_signals(void);

/* Makes a link to busybox for each program that it is. */
void session_install_applets(void);

/* Starts a command that init does not wait for. */
void session_start_agent(const char *command);

/*
 * Runs `command`, or an interactive shell for NULL, on the console as its controlling terminal, and
 * buries every orphan meanwhile. Returns its status as a shell tells it: 128 + N for signal N. Does
 * not return when somebody orders the machine's end by busybox's signals: SIGUSR1 and SIGUSR2 for
 * power-off, SIGTERM for restart.
 */
int session_run(const char *command);

#endif
