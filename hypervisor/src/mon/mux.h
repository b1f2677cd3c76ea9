/*
 * One console for many guests. Each guest has a screen, of which the last few KiB are kept; one
 * guest is in front: it gets what is typed, and its output is shown. Ctrl-a is the hypervisor's
 * key: Ctrl-a 1..9 brings a guest to the front, Ctrl-a n the next one, Ctrl-a m or h the monitor,
 * Ctrl-a g gives the line to a debugger of the guest in front (gdb.h), Ctrl-a a sends a Ctrl-a.
 * With mux=lines all output is shown, line by line, behind the guest's name.
 */
#ifndef MON_MUX_H
#define MON_MUX_H

#include "lib/types.h"

struct vm;

/* A guest's output, from any hart, with or without the VM's lock; how much was taken. */
size_t mux_output(struct vm *vm, const char *text, size_t length);
/* What was typed; called by the hart that serves the serial port, with no lock held. */
void mux_input(uint8_t byte);
/* Brings a guest to the front. */
void mux_show(struct vm *vm);
/* A VM starts: the first one comes to the front. */
void mux_greet(struct vm *vm);
/* A VM has ended: shows the rest of its last line, and brings another to the front. */
void mux_forget(struct vm *vm);

#endif
