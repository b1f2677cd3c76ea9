/*
 * --display text: the guest's text page on our terminal, and our keys on its keyboard. All of it
 * belongs to the main thread; the guest's memory, CRT controller and keyboard controller are what
 * it shares with the vCPU.
 */
#ifndef DISPLAY_DISPLAY_H
#define DISPLAY_DISPLAY_H

#include <stdbool.h>

#include "base/memory.h"
#include "console/screen.h"
#include "dev/crtc.h"
#include "dev/i8042.h"

enum { DISPLAY_TICK_MS = 33 };

/* What is shown of a guest and typed to it. The pointers stay good while a guest starts again; its
 * memory may be another then. */
struct display_guest {
    unsigned index;
    const char *name;
    const struct memory *memory;
    struct crtc *crtc;
    struct i8042 *keyboard;
    bool (*runs)(unsigned index);
    bool (*restarts)(unsigned index); /* another thread replaces its memory and devices now */
};

/* Takes the terminal: from now on it shows the guest's page. Refused where there is no page. */
int display_start(const struct display_guest *guest, struct error *error) MUST_CHECK;
bool display_is_on(void);

/* A guest's page as it is now, without the terminal's size; false: its memory does not reach it. It
 * needs no display. For the main thread. */
bool display_look(const struct memory *memory, struct crtc *crtc,
                  struct screen_view *view) MUST_CHECK;

/* There may be input: types what came. */
void display_input(void);
/* Every DISPLAY_TICK_MS: draws what changed. */
void display_tick(void);

/* A line for the user, over the page until he presses a key. */
void display_say(const char *text);

/* Gives the terminal back for a while; takes it again and draws all. A repeated call does
 * nothing. */
void display_leave(void);
void display_enter(void);

/* Gives the terminal back for good. What the page showed last, a panic perhaps, stays on it as
 * text. */
void display_end(void);

#endif
