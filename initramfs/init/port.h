/* The port by which a machine ends with a status; one file for each kind of machine. */
#ifndef INITRAMFS_PORT_H
#define INITRAMFS_PORT_H

/* Returns where there is no such port. */
void port_exit(int status);

#endif
