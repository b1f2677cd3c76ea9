/* See lib.h. */
#include "lib.h"

void exit(int status)
{
    for (;;)
        system_call(HLEOS_EXIT, status, 0, 0);
}

int getpid(void)
{
    return (int)system_call(HLEOS_GETPID, 0, 0, 0);
}

void *sbrk(long bytes)
{
    return (void *)system_call(HLEOS_SBRK, bytes, 0, 0);
}

int sleep(unsigned long milliseconds)
{
    return (int)system_call(HLEOS_SLEEP, (long)milliseconds, 0, 0);
}

unsigned long uptime(void)
{
    return (unsigned long)system_call(HLEOS_UPTIME, 0, 0, 0);
}

long write(int file, const void *bytes, size_t count)
{
    return system_call(HLEOS_WRITE, file, (long)bytes, (long)count);
}

void printf(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(text, sizeof text, format, args);
    va_end(args);
    write(1, text, strlen(text));
}
