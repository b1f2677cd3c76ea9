/* Mode: long. Prints 480 MiB by one hypercall, again and again. Needs -m 512M. */
#include "../../guest.inc"
    .code64
1:  mov $0x200000, %ebx
    mov $0x1e000000, %ecx
    hypercall HC_WRITE
    jmp 1b
