/* For a machine without I/O ports: the status is only printed on the console. */
#include "initramfs/init/port.h"

void port_exit(int status)
{
    (void)status;
}
