/*
 * System calls of HLeOs, by the names of xv6 and, where it has them, its numbers. By SYSCALL or by
 * `int $0x80`: the number in RAX, arguments in RDI, RSI, RDX, the result in RAX; -1 is every error.
 * SYSCALL changes RCX and R11; all other registers are kept.
 */
#ifndef ABI_HLEOS_H
#define ABI_HLEOS_H

#define HLEOS_EXIT   2  /* (int status): does not return */
#define HLEOS_GETPID 11 /* () */
#define HLEOS_SBRK   12 /* (long bytes): the old end of the data, which grows or shrinks by that */
#define HLEOS_SLEEP  13 /* (unsigned long milliseconds) */
#define HLEOS_UPTIME 14 /* (): milliseconds since boot */
#define HLEOS_WRITE  16 /* (int file, const void *bytes, size_t count): how many were written */

#endif
