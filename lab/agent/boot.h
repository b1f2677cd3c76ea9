// From the kernel's first instruction in user space to a machine that looks like the host: drivers,
// file systems, the host's root. What the machine was started with comes on the kernel's command
// line (see lab/machine).
#ifndef LAB_AGENT_BOOT_H
#define LAB_AGENT_BOOT_H

#include <stdint.h>

struct boot_options {
    char repository[4096]; // where the read-write share belongs
    unsigned idle;         // seconds without a command until the machine stops; 0: never
    unsigned lines;        // how many commands may run at once
};

// Does it all; on any failure it says which step and stops the machine.
void boot_machine(struct boot_options *options);

// Prints one line on the console, which is the machine's log on the host.
__attribute__((format(printf, 1, 2))) void boot_say(const char *format, ...);
__attribute__((noreturn)) void boot_power_off(void);

#endif
