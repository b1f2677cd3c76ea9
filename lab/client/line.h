/* Finding a free line to the lab's machine, and greeting the agent on it. */
#ifndef LAB_CLIENT_LINE_H
#define LAB_CLIENT_LINE_H

#include "lab/wire/wire.h"

struct line_options {
    const char *directory; /* where the machine's sockets are */
    unsigned lines;
    int wait;           /* seconds for the agent's answer */
    const char *script; /* run with "up" it starts the machine, with "down" it stops it */
};

/* Connects to a free line, starting the machine if needed, and waits until the agent answers
 * the HELLO. Returns 0, or a negative code after having said why on standard error. */
__attribute__((warn_unused_result)) int line_open(const struct line_options *options,
                                                  struct message_hello *hello, struct wire *wire);

/* Milliseconds of the monotonic clock. */
int64_t line_now_ms(void);

/* For a machine that stopped by itself: says so and writes it down in DIRECTORY/stopped, a line
 * with the time of day, in seconds, and `why`. */
void line_note_stop(const struct line_options *options, const char *why);

/* The same for one that does not answer, which is then ended. Negative if that is not possible. */
__attribute__((warn_unused_result)) int line_restart(const struct line_options *options,
                                                     const char *why);

#endif
