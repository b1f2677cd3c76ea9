/*
 * Hypercalls: what a guest asks of the VMM by `out %al, $0x500`, and what a user program of the 1K
 * OS asks of its kernel by `int $0x80`. One table of numbers for both, so that a program moves
 * between the two unchanged.
 *
 * Read by C and by assembly. The number travels in AL (the VMM) or EAX (the 1K OS).
 */
#ifndef ABI_HYPERCALL_H
#define ABI_HYPERCALL_H

#define HC_PORT 0x500

#define HC_EXIT    0x00 /* ends the guest, well; carries no code (see abi/debug_exit.h for one) */
#define HC_PUTCHAR 0x01 /* BL: the byte to print */
#define HC_GETCHAR 0x02 /* returns a byte in AL, CF clear; at end of input AL = 0xff, CF set */
#define HC_WRITE   0x10 /* EBX: guest-physical address, ECX: bytes; prints them in one exit */

/* The byte that HC_GETCHAR answers at the end of input, together with CF set. */
#define HC_EOF 0xff
/* How many times a guest may ask for input after its end before the VMM stops it. */
#define HC_EOF_LIMIT 16

#endif
