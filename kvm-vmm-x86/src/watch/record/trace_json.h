/*
 * The log of a run in the Trace Event Format, which Perfetto and chrome://tracing read, and
 * tools/report: JSON with an event for each exit. Guests are processes, vCPUs their threads, and so
 * is what a guest printed. Times are microseconds since the run began. What the events do not say
 * stands in otherData.
 */
#ifndef TRACE_JSON_H
#define TRACE_JSON_H

#include "watch/record/history.h"
#include "watch/record/sink.h"

void log_trace_write(struct log_sink *sink, const struct log_run *run);

#endif
