/* Devices of the guest, by what /sys says of them. Their drivers make them while we look. */
#ifndef INITRAMFS_RUN_DEVICE_H
#define INITRAMFS_RUN_DEVICE_H

#include <stdbool.h>

/* Looks of one millisecond each: what takes longer than a minute will not come. */
enum { DEVICE_LOOKS = 60000, DEVICE_PATH = 300 };

void device_nap(void);

/* The file in /dev of the device in `folder` (/sys/block) whose `attribute` is `text`; false if no
 * device is there yet. */
bool device_find(const char *folder, const char *attribute, const char *text,
                 char path[DEVICE_PATH]);

#endif
