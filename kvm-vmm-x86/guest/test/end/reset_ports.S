/* Resets its machine by the port that a byte of its input names: `c` by 0xcf9, `a` by 0x92, `k` by
 * 0x64. Before that it checks what those ports read, and writes that must not reset. A `q` ends it.
 */
#include "../../guest.inc"
    .code16
    mov $0xcf9, %dx
    in %dx, %al                     /* no reset is requested */
    test $0x06, %al
    jnz wrong
    mov $0x02, %al                  /* a hard reset, but not yet */
    out %al, %dx
    in %dx, %al
    cmp $0x02, %al
    jne wrong
    in $0x92, %al
    test $0x02, %al                 /* A20 is open */
    jz wrong
    out %al, $0x92                  /* unchanged */
    getchar
    putchar %al
    cmp $'c', %bl
    je 1f
    cmp $'a', %bl
    je 2f
    cmp $'q', %bl
    je 3f
    mov $0xfe, %al
    out %al, $0x64
1:  mov $0xcf9, %dx
    mov $0x06, %al
    out %al, %dx
2:  in $0x92, %al
    or $0x01, %al
    out %al, $0x92
wrong:
    putchar $'!'
3:  exit
