/*
 * One console for many guests. Each guest has a screen, of which the last few KiB are kept; one
 * guest is in front: it gets what is typed, and its output is shown. Ctrl-a is ours: Ctrl-a 1..9
 * brings a guest to the front, Ctrl-a n the next one, Ctrl-a m or h the monitor, Ctrl-a a sends a
 * Ctrl-a. With mux=lines all output is shown, line by line, behind the guest's name.
 */
#ifndef MON_MUX_H
#define MON_MUX_H

#include "lib/types.h"

enum { SCREEN_SIZE = 8192, MUX_LINE = 256 };

struct vm;

struct mux_screen {
    char kept[SCREEN_SIZE]; /* a ring of what was not shown */
    size_t start, count;
    uint64_t lost;       /* bytes that fell out of it */
    char line[MUX_LINE]; /* mux=lines: the line begun */
    size_t line_used;
};

/* A guest's output, from any hart, with or without the VM's lock. */
void mux_output(struct vm *vm, const char *text, size_t length);
/* What was typed; called by the hart that serves the serial port, with no lock held. */
void mux_input(uint8_t byte);
/* The VM in front, NULL for none or the monitor. */
struct vm *mux_front(void);
void mux_show(struct vm *vm);
/* A VM that ended: what of its last line is still held is shown, and another comes to the front. */
void mux_forget(struct vm *vm);

#endif
