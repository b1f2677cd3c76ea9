/* Power off and reboot; see power.h and reboot(2). */
#include "initramfs/init/power.h"

#include <stdio.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "initramfs/init/port.h"

/* Waits until the terminal has written all output, since power off does not wait for it. */
static void say_all(void)
{
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
}

static void end(int order) __attribute__((noreturn));
static void end(int order)
{
    say_all();
    sync();
    reboot(order);
    perror("init: the machine cannot be switched off");
    for (;;)
        pause();
}

void power_end(int status)
{
    say_all();
    if (status != 0)
        port_exit(status);
    end(RB_POWER_OFF);
}

void power_restart(void)
{
    end(RB_AUTOBOOT);
}
