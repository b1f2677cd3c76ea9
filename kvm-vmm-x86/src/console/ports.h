/*
 * Serial ports that lead elsewhere than to standard input and output: to a pseudoterminal, a file
 * or a unix socket (--serial); and debug consoles, which go to a file (--debugcon).
 *
 * vCPUs put a port's output into its ring, which never waits; the main thread writes as much as the
 * other end takes. A guest whose ring is over its limit must not go on (console_is_full) before it
 * was drained. While the other end is closed the ring keeps the newest 64 KiB for the next
 * client, and the guest does not wait. Input is read while the port's queue has room.
 */
#ifndef PORTS_H
#define PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"

struct ports_config {
    void (*wake)(void);            /* from any thread: ports_service has something to do */
    void (*room)(unsigned guest);  /* a guest that was full has room again */
    void (*input)(unsigned guest); /* there is input for it */
};

void ports_init(const struct ports_config *config);

/* For the main thread, once for each guest of a run; nothing to do for SERIAL_STDIO and no debug
 * console. It stays open
 * when the guest starts again. */
int ports_open(unsigned guest, const struct guest_config *config, struct error *error) MUST_CHECK;

/* Arranges what the event loop waits for; each time that it comes round. */
void ports_service(void);
/* The guests have ended: writes what they have printed last to those who are there to read it, as
 * long as the program's patience lasts (events.h), and closes all. */
void ports_finish(void);
/* 0, or the negative errno that the port's file failed with. Nothing more is written to it then. */
int ports_failure(unsigned guest);

/* The newest bytes that a port of SERIAL_KEPT has printed, at most `room`; how many there are. Also
 * after ports_finish. */
size_t ports_kept(unsigned guest, void *bytes, size_t room);

/* For vCPU threads. */
void ports_putchar(unsigned guest, uint8_t byte);
void ports_debug_putchar(unsigned guest, uint8_t byte);
/* A byte, or INPUT_NONE; never waits. */
int ports_take(unsigned guest);
/* How many bytes wait. */
int ports_pending(unsigned guest);

#endif
