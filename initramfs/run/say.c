/* Messages of the guest to the VMM; see say.h. */
#include "initramfs/run/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "abi/hypercall.h"

static int say_port = -1;

void say_by(int port)
{
    say_port = port;
}

void say(const char *format, ...)
{
    char text[512];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length >= (int)sizeof text) {
        length = sizeof text;
        text[length - 1] = '\n';
    }
    if (write(say_port >= 0 ? say_port : STDERR_FILENO, text, (size_t)length) < 0)
        perror("run: cannot report to the VMM");
}

void say_end(void)
{
    sync();
    if (ioperm(HC_PORT, 1, 1) == 0)
        outb(HC_EXIT, HC_PORT);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

void say_failed(int status, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say("e %d %s\n", status, text);
    say_end();
}
