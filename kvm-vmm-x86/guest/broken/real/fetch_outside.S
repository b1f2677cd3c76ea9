/*
 * A far jump out of the guest's window of 256 KB.
 *
 * Mode: real
 * Says: fetch at 0x90000, outside its memory
 * QEMU: no, it has memory there
 */
#include "../broken.inc"
    .code16
    ljmp $0x9000, $0
