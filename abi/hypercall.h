/*
 * Hypercalls: what a guest asks of the VMM by `out %al, $0x500`, and what a user program of the 1K
 * OS asks of its kernel by `int $0x80`. One table of numbers for both, so that a program moves
 * between the two unchanged.
 *
 * Read by C and by assembly. The number travels in AL (the VMM) or EAX (the 1K OS); arguments in
 * EBX, ECX, EDX, ESI; the 1K OS answers in EAX, with an error below 0. Its WRITE prints at most a
 * page and answers with the number of bytes.
 */
#ifndef ABI_HYPERCALL_H
#define ABI_HYPERCALL_H

#define HC_PORT 0x500

/* Served by both. HC_EXIT carries no code for the VMM (see abi/debug_exit.h for one). */
#define HC_EXIT    0x00 /* ends the guest, well; in the 1K OS the program, with status EBX */
#define HC_PUTCHAR 0x01 /* BL: the byte to print */
#define HC_GETCHAR 0x02 /* returns a byte in AL, CF clear; at end of input AL = 0xff, CF set */
#define HC_WRITE   0x10 /* EBX: address (for the VMM guest-physical), ECX: bytes to print */

/* Served by the VMM alone, with --forks N: the guest goes on in two machines. CF clear: RAX is 0 in
 * the copy, a number above 0 in its origin. CF set: there is no copy; copies make none. */
#define HC_FORK 0x11 /* makes a copy of the guest; while N copies run it waits */

/* Served by the 1K OS alone. Structures and errors: kvm-vmm-x86/os-1k/include/system.h. */
#define HC_READFILE    0x03 /* EBX: name, ECX: buffer, EDX: size, ESI: offset; bytes read */
#define HC_WRITEFILE   0x04 /* EBX: name, ECX: bytes, EDX: count, ESI: offset; cuts the rest */
#define HC_SPAWN       0x05 /* EBX: path and arguments, one text, ECX: options; its number */
#define HC_WAIT        0x06 /* EBX: child or 0 for any, ECX: int for status, EDX: options */
#define HC_YIELD       0x07 /* lets other programs run */
#define HC_SLEEP       0x08 /* EBX: milliseconds */
#define HC_UPTIME      0x09 /* returns the milliseconds since boot */
#define HC_KILL        0x0a /* EBX: process */
#define HC_PROCESSINFO 0x0b /* EBX: index in the table, ECX: struct process_info to fill */
#define HC_FILEINFO    0x0c /* EBX: index among the files, ECX: struct file_info to fill */
#define HC_REMOVE      0x0d /* EBX: name of the file */
#define HC_SYSTEMINFO  0x0e /* ECX: struct system_info to fill */
#define HC_PEEK        0x0f /* EBX: process, ECX: uint32_t to fill, EDX: address there */

/* From here on a call is for the program that runs the machine (libkvmvmm); these are for
 * `kvm-vmm fuzz`. */
#define HC_FUZZ_INPUT  0x20 /* RBX: linear address of a buffer, RCX: its size; RAX: bytes given */
#define HC_FUZZ_DONE   0x21 /* it was dealt with; the next begins where the first was asked for */
#define HC_FUZZ_CRASH  0x22 /* something is wrong, as the guest itself finds */
#define HC_FUZZ_FAILED 0x23 /* the same, and RBX: linear address of a text, RCX: its size */

/* The byte that HC_GETCHAR answers at the end of input, together with CF set. */
#define HC_EOF 0xff
/* How many times a guest may ask for input after its end before the VMM stops it. */
#define HC_EOF_LIMIT 16

#endif
