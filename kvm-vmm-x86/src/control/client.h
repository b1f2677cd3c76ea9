/* `kvm-vmm ctl`: the client of a control socket. */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

/* argv[0] is "ctl". Returns the exit status: 0, 1 if the machine refused, 2 for usage, 125 if there
 * is no machine to ask or nothing can be printed. */
int control_client(int argc, char **argv);

#endif
