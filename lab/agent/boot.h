/* From a machine that init has prepared (initramfs/init: file systems, drivers) to one that looks
 * like the host. What it was started with is on the kernel's command line (see lab/machine), which
 * the kernel makes init's environment, and thereby the agent's. */
#ifndef LAB_AGENT_BOOT_H
#define LAB_AGENT_BOOT_H

#include <stdint.h>

struct boot_options {
    char repository[4096]; /* commands may write there */
    unsigned idle;         /* seconds without a command until the machine stops; 0: never */
    unsigned lines;        /* how many commands may run at once */
};

/* Does it all; on any failure it says which step and exits, which stops the machine. */
void boot_machine(struct boot_options *options);

#endif
