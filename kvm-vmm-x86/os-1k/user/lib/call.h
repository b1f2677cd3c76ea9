/* The system calls as C functions. Results below 0 are errors of include/system.h. */
#ifndef USER_LIB_CALL_H
#define USER_LIB_CALL_H

#include <stdint.h>

#include "abi/hypercall.h"
#include "include/system.h"

static inline int call_kernel(uint32_t number, uint32_t b, uint32_t c, uint32_t d, uint32_t si)
{
    int result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(b), "c"(c), "d"(d), "S"(si)
                     : "memory", "cc");
    return result;
}

/* A pointer as the kernel takes it. */
static inline uint32_t call_address(const volatile void *pointer)
{
    return (uint32_t)(uintptr_t)pointer;
}

static inline void __attribute__((noreturn)) call_exit(int status)
{
    call_kernel(HC_EXIT, (uint32_t)status, 0, 0, 0);
    __builtin_unreachable();
}

/* Waits for a key; ERROR_END_OF_INPUT if there will be none. */
static inline int call_getchar(void)
{
    return call_kernel(HC_GETCHAR, 0, 0, 0, 0);
}

/* Writes at most a page; returns how many bytes that was. */
static inline int call_write(const char *text, uint32_t length)
{
    return call_kernel(HC_WRITE, call_address(text), length, 0, 0);
}

static inline int call_readfile(const char *name, void *to, uint32_t size, uint32_t offset)
{
    return call_kernel(HC_READFILE, call_address(name), call_address(to), size, offset);
}

static inline int call_writefile(const char *name, const void *from, uint32_t size, uint32_t offset)
{
    return call_kernel(HC_WRITEFILE, call_address(name), call_address(from), size, offset);
}

static inline int call_remove(const char *name)
{
    return call_kernel(HC_REMOVE, call_address(name), 0, 0, 0);
}

static inline int call_fileinfo(unsigned index, struct file_info *info)
{
    return call_kernel(HC_FILEINFO, index, call_address(info), 0, 0);
}

static inline int call_spawn(const char *command_line, enum spawn_options options)
{
    return call_kernel(HC_SPAWN, call_address(command_line), options, 0, 0);
}

static inline int call_wait(int pid, enum wait_options options, int *status)
{
    return call_kernel(HC_WAIT, (uint32_t)pid, call_address(status), options, 0);
}

static inline int call_yield(void)
{
    return call_kernel(HC_YIELD, 0, 0, 0, 0);
}

static inline int call_sleep(uint32_t milliseconds)
{
    return call_kernel(HC_SLEEP, milliseconds, 0, 0, 0);
}

static inline uint32_t call_uptime(void)
{
    return (uint32_t)call_kernel(HC_UPTIME, 0, 0, 0, 0);
}

static inline int call_kill(int pid)
{
    return call_kernel(HC_KILL, (uint32_t)pid, 0, 0, 0);
}

static inline int call_processinfo(unsigned index, struct process_info *info)
{
    return call_kernel(HC_PROCESSINFO, index, call_address(info), 0, 0);
}

static inline int call_systeminfo(struct system_info *info)
{
    return call_kernel(HC_SYSTEMINFO, 0, call_address(info), 0, 0);
}

/* Reads the word at `address` of another process. */
static inline int call_peek(int pid, const volatile void *address, uint32_t *word)
{
    return call_kernel(HC_PEEK, (uint32_t)pid, call_address(word), call_address(address), 0);
}

#endif
