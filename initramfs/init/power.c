/* The ends of a machine; see power.h and reboot(2). */
#include "initramfs/init/power.h"

#include <stdio.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "initramfs/init/port.h"

static void end(int order) __attribute__((noreturn));
static void end(int order)
{
    fflush(stdout);
    sync();
    reboot(order);
    perror("init: the machine cannot be ended");
    for (;;)
        pause();
}

void power_end(int status)
{
    fflush(stdout);
    if (status != 0)
        port_exit(status);
    end(RB_POWER_OFF);
}

void power_restart(void)
{
    end(RB_AUTOBOOT);
}
