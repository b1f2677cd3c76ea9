/* Between the command's standard input, output and error and the VMM's ports. */
#ifndef INITRAMFS_RUN_RELAY_H
#define INITRAMFS_RUN_RELAY_H

#include <stdbool.h>
#include <stddef.h>

enum { RELAY_SIZE = 64 * 1024 };

/* Bytes on their way in one direction. -1: that end is closed. */
struct relay_flow {
    int from, to;
    size_t at, used;
    char bytes[RELAY_SIZE];
};

struct relay {
    int child[3]; /* what the command gets */
    int terminal; /* -1: it has none */
    int deaths;   /* becomes readable when a child has died */
    struct relay_flow flow[3];
};

void relay_open(struct relay *relay, bool terminal);
/* The command has its ends. */
void relay_started(struct relay *relay);
/* Moves bytes until a child has died, or `control` has something to read: then true. */
bool relay_wait(struct relay *relay, int control);
/* What the command wrote before it ended goes to the VMM. */
void relay_finish(struct relay *relay);

#endif
