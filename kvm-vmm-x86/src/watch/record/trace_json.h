/*
 * The log of a run in the Trace Event Format, which Perfetto and chrome://tracing read, and
 * tools/report: JSON with an event for each exit. Guests are processes, vCPUs their threads, and so
 * is what a guest printed. Times are microseconds since the run began. What the events do not say
 * stands in otherData.
 */
#ifndef TRACE_JSON_H
#define TRACE_JSON_H

#include <stdio.h>

#include "watch/record/history.h"

/* Stops when `to` has an error, which the caller finds. */
void log_trace_write(FILE *to, const struct log_run *run);

/*
 * A JSON string (RFC 8259, 7) of bytes that anybody may have written: quoted, what is no UTF-8
 * replaced by U+FFFD, and < > & escaped too, so that it may stand inside a page's script element
 * and can neither end it nor open a comment (HTML, 4.12.1.3).
 */
void log_json_string(FILE *to, const char *text);

#endif
