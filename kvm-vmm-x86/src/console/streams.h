/* Standard input, output and error in the main thread's event loop: reads input when it comes, and
 * writes the console's output as fast as it is taken. For the main thread. */
#ifndef STREAMS_H
#define STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `input` is called when there may be input to read. */
void streams_init(void (*input)(void *context));

/* Whether standard output and error are the same file. */
bool streams_are_one(void);

/* For console_config. */
int streams_write(int fd, const void *bytes, size_t count);

void streams_want_input(bool wanted);
/* How many bytes were read, 0 at the end, -EAGAIN, or another negative errno. */
int streams_read(uint8_t *bytes, size_t size);

/* Writes what can be written now; true if there is more. */
bool streams_service(void);
/* Writes all that is left; gives up once the program must end (events.h). */
void streams_finish(void);

#endif
