/* Calls the function of a system call by its number. */
#ifndef HLEOS_PROCESS_SYSTEM_CALL_H
#define HLEOS_PROCESS_SYSTEM_CALL_H

/* Programs may use system calls from here on. */
void system_call_init(void);

#endif
