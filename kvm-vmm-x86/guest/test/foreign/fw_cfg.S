/* A kernel that reads QEMU's configuration device: signature, features and numbers; in the
 * directory of files it finds the memory map and opt/words, and reads that by ports and by DMA. It
 * prints each step. Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    .set ENTRY, 64                  /* bytes of a directory entry: size, key, 0, name */
    .set RAM, 64 << 20              /* as in the test */
    .set CPUS, 3

    .macro choose key
    mov \key, %ax
    mov $0x510, %dx
    out %ax, %dx
    .endm

    .macro get count to             /* the next bytes of the item */
    mov \count, %ecx
    mov \to, %edi
    mov $0x511, %dx
    rep insb
    .endm

    .macro wants value at           /* 32 bits */
    cmpl \value, \at
    jne bad
    .endm

    .macro find name length         /* sets AX to its key, EBX to its size */
    mov $\name, %ebp
    mov $\length, %ebx
    call look
    .endm

    mov $stack, %esp
    cld
    choose $0
    get $8, $buffer
    wants $0x554d4551, buffer       /* QEMU */
    wants $0, buffer+4            /* behind its end */
    choose $1
    get $4, $buffer
    wants $3, buffer
    say "signature\n"
    choose $3
    get $8, $buffer
    wants $RAM, buffer
    wants $0, buffer+4
    say "RAM\n"
    movl $0, buffer
    choose $5
    get $2, $buffer
    wants $CPUS, buffer
    say "CPUs\n"

    find map, map_end-map
    choose %ax
    get $20, $buffer
    wants $0, buffer
    wants $RAM, buffer+8
    wants $1, buffer+16
    say "memory map\n"

    find words, words_end-words
    mov %eax, %ebp
    choose %bp
    get %ebx, $buffer
    movb $0, buffer(%ebx)
    say_string $buffer

    mov $0x514, %dx
    in %dx, %eax
    cmp $0x554d4551, %eax
    jne bad
    shl $16, %ebp
    or $8 | 2, %ebp                 /* choose, read */
    bswap %ebp
    mov %ebp, descriptor
    mov %ebx, %eax
    bswap %eax
    mov %eax, descriptor + 4
    mov $second, %eax
    bswap %eax
    mov %eax, descriptor + 12
    mov $descriptor, %eax
    bswap %eax
    mov $0x518, %dx
    out %eax, %dx
    wants $0, descriptor            /* done */
    movb $0, second(%ebx)
    say_string $second
    finish
bad:
    finish 1

/* EBP, EBX: a name and its length, the zero included. */
look:
    choose $0x19
    get $4, $buffer
    mov buffer, %eax
    bswap %eax
    mov %eax, count
1:  decl count
    js bad
    get $ENTRY, $buffer
    mov %ebp, %esi
    mov $buffer + 8, %edi
    mov %ebx, %ecx
    repe cmpsb
    jne 1b
    mov buffer, %ebx
    bswap %ebx
    mov buffer + 4, %ax
    xchg %al, %ah
    ret

    .section .rodata
map:
    .asciz "etc/e820"
map_end:
words:
    .asciz "opt/words"
words_end:
    .bss
count:
    .skip 4
    .balign 16
descriptor:
    .skip 16
buffer:
    .skip 256
second:
    .skip 256
    .skip 256
stack:
