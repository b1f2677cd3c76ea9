/* The agent's log: the machine's console, which is a file on the host. */
#ifndef LAB_AGENT_SAY_H
#define LAB_AGENT_SAY_H

/* Prints one line. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

#endif
