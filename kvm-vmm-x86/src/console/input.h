/*
 * The input of all guests: one queue each, one guest that has the keyboard (the focus), and the
 * keys by which the user talks to the VMM itself (Ctrl-A ...). The main thread feeds it, vCPU
 * threads take from it.
 *
 * A guest without the focus sees the end of input once its own queue is empty.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/backend.h"

enum { INPUT_QUEUE_SIZE = 64 * 1024 };

/* What the user asked of the VMM with Ctrl-A and a letter. */
enum input_command { INPUT_NEXT_GUEST, INPUT_LEAVE, INPUT_HELP, INPUT_POWER, INPUT_INTERRUPT };

struct input_config {
    unsigned guests;
    unsigned focus;     /* the guest that has the focus at first */
    bool keys;          /* input comes from a terminal: Ctrl-A is for the VMM */
    void (*wake)(void); /* what input_room or input_has_news returns may have changed */
    void (*command)(enum input_command command); /* called by input_feed */
};

void input_init(const struct input_config *config);

/* For the main thread: how many bytes may be fed now. 0 while no guest with the focus reads, or at
 * the end. */
size_t input_room(void);
/* Feeds what was read. */
void input_feed(const uint8_t *bytes, size_t count);
/* The input has ended. */
void input_finish(void);
/* Whether what a guest would get has changed since this was last asked. */
bool input_has_news(void);
/* The guest that has the focus, and whether a guest that still runs has asked for input. */
unsigned input_focus(void);
bool input_is_read(void);
/* Passes the focus to the next guest that runs; returns the guest that has it now. */
unsigned input_pass_focus(void);

/* For vCPU threads. The guest looks for input. */
void input_want(unsigned guest);
/* A byte, INPUT_NONE, or INPUT_END; never waits. */
int input_take(unsigned guest);
/* How many bytes wait, or INPUT_END. */
int input_pending(unsigned guest);
/* For the main thread: no more input comes for this guest, and it has read all there was. The focus
 * may still come back to one at a terminal. */
bool input_has_ended(unsigned guest);

/* The guest ends, and will not start again: its queue takes no more, and the focus goes on. */
void input_stop(unsigned guest);
/* It starts again, and has not asked for input yet. What waits in its queue is still for it. */
void input_restart(unsigned guest);

#endif
