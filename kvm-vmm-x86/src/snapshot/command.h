/* `kvm-vmm snapshot`: what is in a snapshot. */
#ifndef SNAPSHOT_COMMAND_H
#define SNAPSHOT_COMMAND_H

/* argv[0] is "snapshot". Returns the exit status: 0, 1 if the snapshot is damaged or another
 * format's, 2 for usage. */
int snapshot_command(int argc, char **argv);

#endif
