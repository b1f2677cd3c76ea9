/* The client's terminal: raw while the command's own terminal inside the lab does the line editing,
 * and restored on every way out. */
#ifndef LAB_CLIENT_TERMINAL_H
#define LAB_CLIENT_TERMINAL_H

#include <stdbool.h>

#include "lab/wire/message.h"

/* Fills in which descriptors are terminals, the settings and the size. */
void terminal_describe(struct message_hello *hello);
struct message_resize terminal_size(void);
/* Raw mode if standard input is a terminal and we are in its foreground; a second call does
 * nothing. */
void terminal_raw(const struct message_hello *hello);
void terminal_restore(void);
/* Whether a byte of input is the key that would have sent a signal, had the terminal not been raw.
 */
bool terminal_interrupts(const struct message_hello *hello, uint8_t byte);

#endif
