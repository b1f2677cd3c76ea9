/* The C library of programs: xv6's system calls under their names, and formatted output. */
#ifndef USER_LIB_H
#define USER_LIB_H

#include <stddef.h>
#include <stdint.h>

#include "abi/hleos.h"
#include "common/fmt.h"
#include "common/string.h"

/* A call by SYSCALL, and the same by `int $0x80`; -1 is an error. */
static inline long system_call(long number, long a, long b, long c)
{
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return number;
}

static inline long system_call_by_interrupt(long number, long a, long b, long c)
{
    __asm__ volatile("int $0x80" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "memory");
    return number;
}

void exit(int status) __attribute__((noreturn));
int getpid(void);
void *sbrk(long bytes); /* (void *)-1 where there is no room */
int sleep(unsigned long milliseconds);
unsigned long uptime(void); /* in milliseconds */
long write(int file, const void *bytes, size_t count);

/* Formats to standard output; text beyond 255 characters is cut. */
void printf(const char *format, ...) FMT_PRINTF(1, 2);

int main(int argc, char **argv);

#endif
