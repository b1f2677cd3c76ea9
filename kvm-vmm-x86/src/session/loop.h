/*
 * The main thread while vCPUs run the guests: keys, signals, timers and what the guests ask for,
 * until the last guest has ended or the run is told to end.
 */
#ifndef SESSION_LOOP_H
#define SESSION_LOOP_H

#include "host/events.h"
#include "options/options.h"
#include "session/restart.h"
#include "vm/create.h"
#include "watch/explain/guest_image.h"
#include "watch/gdb/server.h"
#include "watch/record/record.h"

/* One run of the program. */
struct session {
    const struct options *options;
    struct record_config record;
    struct vm vms[GUESTS_MAX];
    struct observers observers[GUESTS_MAX];
    struct guest_image images[GUESTS_MAX];
    struct debug_server servers[GUESTS_MAX];
    struct restart restarts[GUESTS_MAX];    /* while one is pending, its thread owns the VM */
    struct guest_config guests[GUESTS_MAX]; /* with their disks open */
    unsigned count;
    struct vm_end end; /* why the run as a whole ends; END_NONE: when its last guest ends */
    struct event_timer deadline, tick, picture, look, end_look;
};

/* Sets the run for the functions below: connects its input and output, and starts the time
 * limit. */
void session_loop_begin(struct session *run);

/* Handles the signals of the process from now on. */
int session_loop_take_signals(struct error *error) MUST_CHECK;

/* The place where a guest's debugger may connect, if the options say one. */
int session_loop_open_debugger(unsigned guest, struct error *error) MUST_CHECK;

/* The time limit may have passed while files were read: an error. */
int session_loop_start_guest(unsigned guest, struct error *error) MUST_CHECK;

/* Returns when no guest runs any more. */
void session_loop_run(void);

/* Ends all guests. The first reason counts; no guest starts again, and the time for readers is
 * limited from now on. */
void session_loop_end(enum end_kind kind, int code, const char *message);

/* The same, as the user's wish. */
void session_loop_leave(void);

bool session_loop_is_running(unsigned guest);
bool session_loop_is_restarting(unsigned guest);

/* A port whose output cannot be written ends the run. */
void session_loop_check_ports(void);

#endif
