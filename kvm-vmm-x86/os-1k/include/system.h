/*
 * What the kernel and the programs agree on beside the numbers of abi/hypercall.h: the address
 * space of a program, the structures that system calls fill in, and the errors they return.
 *
 * A system call is `int $0x80` with the number in EAX and arguments in EBX, ECX, EDX and ESI. The
 * result comes back in EAX: 0 or more on success, an error below otherwise.
 */
#ifndef OS1K_SYSTEM_H
#define OS1K_SYSTEM_H

#include <stdint.h>

/* A program lies at PROGRAM_BASE, its stack ends at PROGRAM_END with the command line that it was
 * spawned by; nothing else is mapped below. */
#define PROGRAM_BASE         0x00400000u
#define PROGRAM_END          0x40000000u
#define PROGRAM_STACK_SIZE   0x4000u
#define PROGRAM_COMMAND_LINE (PROGRAM_END - COMMAND_LINE_SIZE)

enum {
    NAME_SIZE = 32,          /* of a file or a process, with its end */
    COMMAND_LINE_SIZE = 256, /* of a spawned program: its name and arguments, with the end */
    FIRST_PROCESS = 1,       /* the shell; when it ends, so does the machine */
    PROCESS_MAX = 64,        /* places in the table of processes */
    FILE_MAX = 64,           /* and in that of files */
};

enum system_error {
    ERROR_END_OF_INPUT = -1, /* the console has nothing more to read; AL is HC_EOF then */
    ERROR_BAD_ADDRESS = -2,  /* memory that the program does not have, or may not write */
    ERROR_BAD_ARGUMENT = -3, /* a size, offset or text that makes no sense */
    ERROR_NO_FILE = -4,      /* no file, or no file number, of that name */
    ERROR_NO_PROCESS = -5,   /* no process, or no child, of that number */
    ERROR_NO_MEMORY = -6,    /* out of pages */
    ERROR_TABLE_FULL = -7,   /* too many processes or files */
    ERROR_NOT_PROGRAM = -8,  /* the file is not a program for this machine */
    ERROR_BAD_CALL = -9,     /* there is no system call of that number */
    ERROR_DISK = -10,        /* the disk is full, cannot be written to, or has failed */
};

/* The status of a process: the low byte of what it gave to EXIT, or, if it was ended by others, one
 * of these. */
enum { STATUS_MAX = 0xff, STATUS_KILLED = 0x100, STATUS_FAULT = 0x200 /* + the exception */ };

/* A program in the background has no input; nor have those that it starts. */
enum spawn_options { SPAWN_FRONT = 0, SPAWN_BACKGROUND = 1 };

enum wait_options { WAIT_BLOCK = 0, WAIT_POLL = 1 /* return 0 if no child has ended yet */ };

enum process_state {
    PROCESS_FREE,     /* this place in the table is not used */
    PROCESS_READY,    /* runs, or can run */
    PROCESS_SLEEPING, /* until the clock reaches some time */
    PROCESS_READING,  /* until a byte is typed */
    PROCESS_WAITING,  /* until a child ends */
    PROCESS_ENDED,    /* until its parent has asked for its status */
};

struct process_info {
    int32_t pid, parent;
    enum process_state state;
    uint32_t ticks; /* times the clock found it running */
    char name[NAME_SIZE];
};

struct file_info {
    uint32_t size;
    char name[NAME_SIZE]; /* empty: this place in the table is not used */
};

enum system_features {
    SYSTEM_NO_EXECUTE = 1 << 0, /* no page is both writable and executable */
    SYSTEM_HYPERCALL = 1 << 1,  /* output leaves by hypercall, else by the serial port */
    SYSTEM_DISK = 1 << 2,       /* files are kept on a disk */
    SYSTEM_LOCKED = 1 << 3,     /* there is a disk that is only read: no file can be written */
};

struct system_info {
    uint32_t pages_total, pages_free; /* 4 KB each */
    uint32_t features;                /* of enum system_features */
    char loader[32];                  /* the loader's name */
};

#endif
