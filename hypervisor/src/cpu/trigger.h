/*
 * Breakpoints and watchpoints of the harts, if the firmware offers them (SBI 3.0, chapter 19;
 * RISC-V Debug Specification 1.0, mcontrol6). There is one set, for one debugger; a hart has it
 * installed only while it runs the debugged guest.
 */
#ifndef CPU_TRIGGER_H
#define CPU_TRIGGER_H

#include "lib/types.h"

enum { TRIGGERS_MAX = 4 };
enum { TRIGGER_LOAD = 1, TRIGGER_STORE = 2, TRIGGER_EXECUTE = 4 };

struct trigger {
    gva_t at; /* the address at which the access begins; emulators: anywhere in those eight bytes */
    unsigned access; /* TRIGGER_*; 0: unused */
};

/* How many there are at most; 0: the firmware does not offer them. */
unsigned trigger_count(void);
/* Sets the triggers, while no vCPU of the guest runs. False if this hart refuses them: then none is
 * set. */
bool trigger_want(const struct trigger wanted[TRIGGERS_MAX]);
/* Installs the triggers on this hart, or removes them. */
void trigger_load(bool debugged);

#endif
