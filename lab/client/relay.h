/* The client's main loop: three streams, signals and the window's size, until the command has
 * ended. */
#ifndef LAB_CLIENT_RELAY_H
#define LAB_CLIENT_RELAY_H

#include "lab/client/line.h"

/* Sends the request (command, environment, directory) and relays until the end. Returns the exit
 * status. If the machine does not answer for the line's time, it is stopped and the status is 125.
 */
__attribute__((warn_unused_result)) int relay_run(struct wire *wire,
                                                  const struct message_hello *hello, char **command,
                                                  const struct line_options *line);

#endif
