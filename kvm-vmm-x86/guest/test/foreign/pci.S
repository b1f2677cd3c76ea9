/* A kernel that finds a virtio entropy device on a PCI bus (slot 1), moves its BAR over the
 * kernel's own code and back, and uses it with MSI-X: one message that comes at once, one that is
 * masked first; then it resets the function. It prints each step. Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    .set VECTOR, 0x40
    .set APIC_EOI, 0xfee000b0
    .set APIC_SPURIOUS, 0xfee000f0
    .set TABLE, 0x2000              /* of MSI-X, in the BAR; and the pending bits */
    .set PENDING, 0x3000
    .set NOTIFY, 0x800

    .macro config_address reg, slot=1
    mov $(0x80000000 | \slot << 11 | \reg), %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    .endm

    .macro expect value             /* checks EAX */
    cmp $\value, %eax
    jne bad
    .endm

    .macro set_gate at handler      /* an interrupt gate */
    mov $\handler, %eax
    mov %ax, \at
    shr $16, %eax
    mov %ax, 6 + \at
    mov %cs, 2 + \at
    .endm

    mov $stack, %esp
    config_address 0, 0
    in %dx, %eax
    expect 0x00081b36
    config_address 0
    in %dx, %eax
    expect 0x10441af4
    say "found\n"

    config_address 0x04             /* memory, bus master */
    mov $6, %eax
    out %eax, %dx
    config_address 0x10
    in %dx, %eax
    and $~15, %eax
    mov %eax, %ebx
    mov (%ebx), %eax                /* its first registers answer */
    cmp $-1, %eax
    je bad
    config_address 0x10             /* over this code: it is not mapped there, nor at its old address */
    mov $_start, %eax
    and $~0x3fff, %eax
    out %eax, %dx
    mov (%ebx), %eax
    expect -1
    config_address 0x10
    mov %ebx, %eax
    out %eax, %dx
    say "moved\n"

    set_gate gate message
    set_gate gate+8 second
    lidt idt
    mov $0xff, %al                  /* mask all lines of the PICs */
    out %al, $0x21
    out %al, $0xa1
    movl $0x1ff, APIC_SPURIOUS      /* and enable the local APIC */
    movl $0xfee00000, TABLE(%ebx)
    movl $0, TABLE + 4(%ebx)
    movl $VECTOR, TABLE + 8(%ebx)
    movl $0, TABLE + 12(%ebx)
    config_address 0x40             /* MSI-X: on */
    mov $0x80000000, %eax
    out %eax, %dx

    movb $3, 20(%ebx)               /* status, features, queue: virtio 1.2, 4.1.4.3 */
    movl $1, 8(%ebx)
    movl $1, 12(%ebx)
    movb $11, 20(%ebx)
    movw $0, 26(%ebx)               /* the first vector */
    movw $8, 24(%ebx)
    movl $queue, 32(%ebx)
    movl $available, 40(%ebx)
    movl $used, 48(%ebx)
    movw $1, 28(%ebx)
    movb $15, 20(%ebx)
    cmpb $15, 20(%ebx)
    jne bad
    movl $bytes, queue
    movl $16, queue + 8
    movw $2, queue + 12             /* the device writes */
    incw available + 2
    movw $0, NOTIFY(%ebx)
1:  sti
    hlt
    cli
    cmpw $1, used + 2
    jne 1b
    cmpl $1, messages
    jne bad
    say "message\n"

    movl $1, TABLE + 12(%ebx)       /* masked, it waits */
    incw available + 2
    movw $0, NOTIFY(%ebx)
1:  pause
    cmpl $0, PENDING(%ebx)
    je 1b
    cmpw $2, used + 2
    jne bad
    cmpl $1, messages
    jne bad
    movl $VECTOR + 1, TABLE + 8(%ebx)
    movl $0, TABLE + 12(%ebx)
1:  sti
    hlt
    cli
    cmpl $11, messages
    jne 1b
    cmpl $0, PENDING(%ebx)
    jne bad
    say "pending\n"

    config_address 0xb4             /* the function's reset */
    mov $1, %eax
    out %al, %dx
    config_address 0x04
    in %dx, %eax
    and $6, %eax
    jnz bad
    config_address 0x40
    in %dx, %eax
    shr $31, %eax
    jnz bad
    say "reset\n"
    finish
bad:
    finish 1

message:
    incl messages
    movl $0, APIC_EOI
    iret
second:
    addl $10, messages
    movl $0, APIC_EOI
    iret

    .data
idt:
    .short (VECTOR + 2) * 8 - 1
    .long gate - VECTOR * 8
    .balign 8
gate:
    .short 0, 0, 0x8e00, 0
    .short 0, 0, 0x8e00, 0
messages:
    .long 0
    .bss
    .balign 16
queue:
    .skip 128
available:
    .skip 32
    .balign 4
used:
    .skip 128
bytes:
    .skip 16
    .balign 16
    .skip 256
stack:
