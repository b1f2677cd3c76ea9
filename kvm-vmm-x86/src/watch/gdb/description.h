/* target.xml: the registers of registers.h in the form that gdb reads (GDB manual, appendix G). */
#ifndef GDB_DESCRIPTION_H
#define GDB_DESCRIPTION_H

#include "watch/explain/text.h"
#include "watch/gdb/registers.h"

/* Room for the longest description. */
enum { GDB_DESCRIPTION_MAX = 16 * 1024 };

void gdb_describe(struct text *text, enum gdb_arch arch);

#endif
