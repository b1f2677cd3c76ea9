/*
 * Where the ports of a guest's virtio console lead (--console, --port): to standard input and
 * output, to a pseudoterminal, a file or a unix socket with one client.
 *
 * Each is the host's side of a channel (dev/virtio/channel.h). The main thread moves its bytes, as
 * many as the other end takes; a guest whose channel is full keeps its requests. What a guest
 * writes while the other end is closed is dropped, as by a serial line without a cable.
 */
#ifndef LINKS_H
#define LINKS_H

#include <stdbool.h>

#include "base/config.h"
#include "base/error.h"
#include "dev/virtio/channel.h"

/* Makes the channels of a guest's ports, NULL if it has none, for all its lives. */
int links_make(unsigned guest, const struct guest_config *config, struct channels **channels,
               struct error *error) MUST_CHECK;
/* Opens what they lead to. */
int links_open(unsigned guest, const struct guest_config *config, struct error *error) MUST_CHECK;

/* Standard input is read from now on, for the port that leads there (SERIAL_DESCRIPTOR): a guest
 * that looks too early would take its end for a port that is not open yet. */
void links_let_in(void);
/* A text for the guest, to its port of SERIAL_CONTROL. */
void links_send_control(const char *text);

/* Arranges what the event loop waits for; each time that it comes round. */
void links_service(void);
/* The size of the user's terminal has changed. */
void links_resize(void);
/* The guests have ended: writes what they have written last to those who are there to read it, as
 * long as the program's patience lasts (events.h), and closes all. `flush` lets the device of a
 * guest bring what the guest had made available. */
void links_finish(void (*flush)(unsigned guest));
/* 0, or the negative errno that the file of one of them failed with. */
int links_failure(unsigned guest);

#endif
