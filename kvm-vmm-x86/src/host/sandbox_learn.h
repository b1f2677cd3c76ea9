/*
 * --sandbox=learn: a process of its own is asked about each call that the filter does not allow,
 * says what it is on standard error, once for each kind, and lets it happen. seccomp_unotify(2).
 */
#ifndef HOST_SANDBOX_LEARN_H
#define HOST_SANDBOX_LEARN_H

/* Starts that process; before the filter is in force. 0 or a negative errno. */
int sandbox_learn_begin(void);

/* Hands it the filter's descriptor, which is closed here. 0 or a negative errno. */
int sandbox_learn_watch(int fd);

#endif
