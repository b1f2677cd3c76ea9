/* --verbose: a line for each exit: its number, the count of its kind, where, which device and
 * register, which value. */
#ifndef TRACE_H
#define TRACE_H

#include "vm/observer.h"

extern const struct observer trace_observer;

#endif
