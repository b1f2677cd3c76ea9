// The client's main loop: three streams, signals and the window's size, until the command has
// ended.
#ifndef LAB_CLIENT_RELAY_H
#define LAB_CLIENT_RELAY_H

#include "lab/wire/wire.h"

// Sends the request (command, environment, directory) and relays until the end. Returns the exit
// status.
__attribute__((warn_unused_result)) int
relay_run(struct wire *wire, const struct message_hello *hello, char **command);

#endif
