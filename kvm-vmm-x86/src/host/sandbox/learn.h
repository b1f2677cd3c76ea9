/*
 * --sandbox=learn: a separate process gets each call that the filter does not allow, and each that
 * names a file. It reports on standard error the calls and files that would be forbidden, each
 * once, and allows them. seccomp_unotify(2).
 */
#ifndef HOST_SANDBOX_LEARN_H
#define HOST_SANDBOX_LEARN_H

/* Starts that process; before the filter is in force. `needs`: of the run, a set of enum
 * sandbox_need. 0 or a negative errno. */
int sandbox_learn_begin(unsigned needs);

/* Hands it the filter's descriptor, which is closed here. 0 or a negative errno. */
int sandbox_learn_watch(int fd);

#endif
