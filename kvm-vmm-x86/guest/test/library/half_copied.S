/*
 * Mode: long. Crashes in the middle of an instruction that writes RAM: reports that it is ready
 * (hypercall 0x20) and copies RCX bytes from 256 MB, where there is no memory, to 2 MB.
 */
#include "../../guest.inc"
    .code64
    mov $0x10000000, %esi
    mov $0x200000, %edi
    hypercall 0x20
    rep movsb
    hypercall 0x21
    exit
