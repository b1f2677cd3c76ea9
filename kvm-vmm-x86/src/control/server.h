/*
 * The control socket of a run: clients of the same user ask, a line a request, and get a line each
 * (verbs.h). Driven by the event loop, on the main thread; nothing waits for a client. What a
 * client sends is bounded, and so is the number of clients.
 */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include "base/endpoint.h"
#include "control/verbs.h"

enum { CONTROL_CLIENTS_MAX = 8, CONTROL_REQUEST_MAX = 4096, CONTROL_ANSWER_MAX = 64 * 1024 };

/* `where`: the value of --control, unix:PATH or a name; NULL: no control socket, and the calls
 * below do nothing. */
int control_open(const char *where, const struct control_run *run, struct error *error) MUST_CHECK;
/* Answers requests that had to wait. Call it in each round of the event loop. */
void control_service(void);
/* A guest's VM will be destroyed; it may be made again. False: a thread saves it now, and nothing
 * of the VM may be freed. The thread gives up and wakes the event loop; call this again then. */
bool control_forget(unsigned guest) MUST_CHECK;
/* For a forked process, whose descriptors are closed: forgets the socket, which stays with the
 * parent. */
void control_leave(void);
/* Closes all connections and removes the socket. False: such a thread still worked when the program
 * had to end (host/events.h), and nothing of the VMs may be freed. */
bool control_close(void) MUST_CHECK;

/* The path of `where`. */
int control_endpoint(struct endpoint *endpoint, const char *where, bool make,
                     struct error *error) MUST_CHECK;

#endif
