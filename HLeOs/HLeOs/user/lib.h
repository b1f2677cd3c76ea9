/* The C library of programs: xv6's system calls under their names, formatted output, a heap. */
#ifndef USER_LIB_H
#define USER_LIB_H

#include <stdbool.h>
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

int fork(void);
void exit(int status) __attribute__((noreturn));
int wait(int *status); /* the status may be NULL */
int kill(int process);
int exec(const char *path, const char *const *argv); /* returns only where it fails */
int getpid(void);
void *sbrk(long bytes); /* (void *)-1 where there is no room */
int sleep(unsigned long milliseconds);
unsigned long uptime(void); /* in milliseconds */

int open(const char *path, int how); /* enum hleos_open */
int close(int file);
long read(int file, void *bytes, size_t count);
long write(int file, const void *bytes, size_t count);
int dup(int file);
int pipe(int *files);
int fstat(int file, struct hleos_stat *stat);
long lseek(int file, long offset, int from); /* enum hleos_seek */
int fsync(int file);
int chdir(const char *path);
int mkdir(const char *path);
int link(const char *old, const char *new);
int unlink(const char *path);
int mknod(const char *path, int device); /* enum hleos_device */
int stat(const char *path, struct hleos_stat *stat);

/* Private, writable memory with zeros (file -1), or a copy of a file's bytes from `offset` on.
 * munmap() removes a whole mapping. */
#define MAP_FAILED ((void *)-1)
void *mmap(size_t size, int file, long offset);
int munmap(void *address, size_t size);

int system_info(struct hleos_system *system);

/* To standard output, and to any file. */
void printf(const char *format, ...) FMT_PRINTF(1, 2);
void fprintf(int file, const char *format, ...) FMT_PRINTF(2, 3);

/* The next line without its end: its length, of which `room` - 1 bytes are there at most. It reads
 * a byte at a time, so that later bytes stay for other readers. */
enum { LINE_END = -1, LINE_ERROR = -2 };
long read_line(int file, char *line, size_t room);

/* A decimal number, as far as there are digits. */
int atoi(const char *text);

/* 16-byte aligned; NULL if there is no room. */
void *malloc(size_t size) __attribute__((warn_unused_result));
void free(void *block);

int main(int argc, char **argv);

#endif
