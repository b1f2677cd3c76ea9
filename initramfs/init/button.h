/* The power button of a machine with ACPI, as the kernel's driver `button` tells of it. */
#ifndef INITRAMFS_BUTTON_H
#define INITRAMFS_BUTTON_H

#include <stdbool.h>

/* From now on init gets SIGIO when there may be news of the button. A kernel without ACPI has
 * none. */
void button_listen(void);

/* Whether it was pressed since the last time. */
bool button_was_pressed(void);

#endif
