/* The command a client asks for: its strings as they arrive, and the child process that becomes it.
 */
#ifndef LAB_AGENT_COMMAND_H
#define LAB_AGENT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lab/agent/cage.h"
#include "lab/wire/message.h"

struct command {
    struct message_hello hello;
    char *strings; /* tagged strings, joined; NULL if none arrived */
    size_t length;
};

/* What the command reads and writes, seen from the agent. -1: not there. */
struct command_ends {
    int in;       /* to its standard input */
    int out;      /* from its standard output, if that is not a terminal */
    int error;    /* the same for its standard error */
    int terminal; /* the terminal's outer side */
};

/* Adds bytes to the list. -E2BIG or -ENOMEM. */
__attribute__((warn_unused_result)) int command_add(struct command *command, const void *bytes,
                                                    size_t length);
void command_forget(struct command *command);

/* Starts the command in its cage. On failure nothing is left behind, *status and *reason say what
 * to tell the client (126 and 127 as a shell has them, 125 if it is not the command's fault). */
__attribute__((warn_unused_result)) int command_start(struct command *command,
                                                      const struct cage *cage,
                                                      struct command_ends *ends, pid_t *pid,
                                                      int *status, char reason[256]);

#endif
