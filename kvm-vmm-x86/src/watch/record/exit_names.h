/* The names of exits. Pure. */
#ifndef EXIT_NAMES_H
#define EXIT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/bus.h"
#include "vm/exit_record.h"

/*
 * What was reached: "uart.THR", "port 0x80", "memory 0xfee00000", "MSR 0x10", or `reason` for
 * anything that is no access. Cut to `size`.
 */
void log_exit_name(struct bus *bus, const struct exit_record *record, const char *reason,
                   char *text, size_t size);

/* The access in words: "out port 0x3f8 uart.THR value 0x41 and 3 more"; empty if there was none. */
void log_exit_describe(struct bus *bus, const struct exit_record *record, char *text, size_t size);

#endif
