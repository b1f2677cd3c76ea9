/*
 * Breakpoints and watchpoints of the harts, where the firmware offers them (SBI 3.0, chapter 19;
 * RISC-V Debug Specification 1.0, mcontrol6). One set is wanted at a time, for one debugger; a hart
 * holds it while it runs the guest that is debugged, and nothing otherwise.
 */
#ifndef CPU_TRIGGER_H
#define CPU_TRIGGER_H

#include "lib/types.h"

enum { TRIGGERS_MAX = 4 };
enum { TRIGGER_LOAD = 1, TRIGGER_STORE = 2, TRIGGER_EXECUTE = 4 };

struct trigger {
    gva_t at;        /* an access that begins there; emulators: in the eight bytes there */
    unsigned access; /* TRIGGER_*; 0: unused */
};

/* How many there are at most; 0: the firmware does not offer them. */
unsigned trigger_count(void);
/* Sets what is wanted, while no vCPU of the guest runs; false where this hart refuses it: then
 * nothing is. */
bool trigger_want(const struct trigger wanted[TRIGGERS_MAX]);
/* Lets this hart hold what is wanted, or nothing. */
void trigger_load(bool debugged);

#endif
