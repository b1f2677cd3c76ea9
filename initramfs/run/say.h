/* What the first process of the guest tells the VMM, and how the machine ends. */
#ifndef INITRAMFS_RUN_SAY_H
#define INITRAMFS_RUN_SAY_H

/* A line for the VMM goes to `port`; before, to the kernel's console. */
void say_by(int port);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The command cannot be started: tells why, and ends the machine. */
void say_failed(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* Ends the machine, by the hypercall that does it at once; a VMM without it gets an ordinary
 * power-off. */
void say_end(void) __attribute__((noreturn));

#endif
