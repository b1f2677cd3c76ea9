/* What time and change on the host made stale in a machine that has been running for a while. */
#ifndef LAB_AGENT_REFRESH_H
#define LAB_AGENT_REFRESH_H

#include "lab/wire/message.h"

/* Sets the clock if it is off by more than a second, and forgets what is cached of /usr if programs
 * were installed or removed on the host since any line last looked. */
void refresh_machine(const struct message_hello *hello);

#endif
