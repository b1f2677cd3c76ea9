/* What the client tells the agent about the command: everything that it would inherit from its
 * parent on the host. */
#ifndef LAB_CLIENT_REQUEST_H
#define LAB_CLIENT_REQUEST_H

#include <stddef.h>

#include "lab/wire/message.h"

/* Fills in who and when; see terminal_describe() for the rest. */
void request_describe(struct message_hello *hello);
/* The tagged strings in one piece, which the caller frees. NULL after having said why on standard
 * error. */
char *request_strings(char **command, size_t *length);

#endif
