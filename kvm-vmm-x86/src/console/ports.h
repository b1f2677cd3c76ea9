/*
 * Where a guest's ports lead: its serial port, if not to standard input and output (--serial), its
 * debug console (--debugcon), and the ports of its virtio console (--console, --port). To standard
 * input and output, a pseudoterminal, a file or a unix socket with one client.
 *
 * Each is the host's side of a channel (dev/virtio/channel.h). The main thread moves its bytes, as
 * many as the other end takes. A guest whose channel is full waits: a virtio console keeps its
 * requests, a vCPU does not go on (console_is_full). While the other end is closed a serial port
 * and a debug console keep the newest 64 KiB for the next client, a few bytes less, and what a
 * virtio console writes is dropped, as by a line without a cable.
 */
#ifndef PORTS_H
#define PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "dev/virtio/channel.h"

/* `ready` is called when there is input for a guest's serial port, or room for its output. */
void ports_init(void (*ready)(unsigned guest));

/* Makes a guest's ports, which it keeps when it starts again. `channels` becomes those of its
 * virtio console; NULL: none. */
int ports_make(unsigned guest, const struct guest_config *config, struct channels **channels,
               struct error *error) MUST_CHECK;
/* Opens the other ends of its ports. */
int ports_open(unsigned guest, const struct guest_config *config, struct error *error) MUST_CHECK;

/* Moves bytes and sets what the event loop waits for. Call it in each round of the loop. */
void ports_service(void);
/* The size of the user's terminal has changed. */
void ports_resize(void);
/* The guests have ended: writes the rest of their output to the ends that are open, unless the
 * program must end before (events.h), and closes all. `flush` lets a guest's virtio console hand
 * over the requests that it has not taken yet. */
void ports_finish(void (*flush)(unsigned guest));
/* For a forked process, whose descriptors are closed: forgets all ports. */
void ports_leave(void);
/* 0, or the negative errno that the file of one of them failed with. */
int ports_failure(unsigned guest);

/* The newest bytes that a serial port of SERIAL_KEPT has printed, at most `room`, once; how many
 * there are. Also after ports_finish. */
size_t ports_kept(unsigned guest, void *bytes, size_t room);
/* From now on standard input is read for the port of SERIAL_DESCRIPTOR. Not earlier: a guest would
 * take the end of the input for a port that is not open yet. */
void ports_let_in(void);
/* A text for the guest, to its port of SERIAL_CONTROL. */
void ports_send_control(const char *text);

/* For vCPU threads: output of the serial port and of the debug console. */
void ports_putchar(unsigned guest, uint8_t byte);
void ports_debug_putchar(unsigned guest, uint8_t byte);
/* A byte of the serial port's input, or INPUT_NONE. */
int ports_take(unsigned guest);
/* How many bytes wait for ports_take. */
int ports_pending(unsigned guest);

#endif
