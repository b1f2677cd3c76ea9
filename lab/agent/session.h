/* One command from its client's HELLO to its EXIT, on one line. */
#ifndef LAB_AGENT_SESSION_H
#define LAB_AGENT_SESSION_H

#include "lab/agent/command.h"
#include "lab/wire/stream.h"

enum session_state {
    SESSION_IDLE,     /* no client, or one that has not introduced itself */
    SESSION_GREETED,  /* strings are arriving */
    SESSION_RUNNING,  /* the command runs */
    SESSION_DRAINING, /* it has ended; what it wrote is still under way */
};

struct session {
    unsigned line;
    enum session_state state;
    struct wire wire;
    struct command command;
    struct cage cage;
    pid_t pid;
    uint8_t status;
    struct sink in;
    struct source out[STREAM_COUNT]; /* by stream; the one of STREAM_STDIN is not used */
};

void session_init(struct session *session, unsigned line, int fd);
/* The client is gone: ends the command and forgets all that was under way in either direction. */
void session_reset(struct session *session);
/* Ends the command, if one runs. */
void session_abandon(struct session *session);
/* Waits for something to happen and handles it. `signals` reports SIGCHLD. Negative when the client
 * is gone. */
__attribute__((warn_unused_result)) int session_step(struct session *session, int signals);

#endif
