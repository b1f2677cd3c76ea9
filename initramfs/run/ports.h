/* Ports of the virtio console, by name. */
#ifndef INITRAMFS_RUN_PORTS_H
#define INITRAMFS_RUN_PORTS_H

/* Opens a port, once the driver has made it and the VMM has its end open. */
int ports_open(const char *name);
/* The console hvc0. */
int ports_open_terminal(void);

#endif
