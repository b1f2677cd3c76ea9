/* The way from a system call's number to its function. */
#ifndef HLEOS_PROCESS_SYSTEM_CALL_H
#define HLEOS_PROCESS_SYSTEM_CALL_H

/* Programs may use system calls from here on. */
void system_call_init(void);

#endif
