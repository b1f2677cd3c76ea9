/*
 * Mode: long. Uses kvm-clock (Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW), and
 * prints each time that it reports a pause by the host (PVCLOCK_GUEST_STOPPED): three times, then
 * it ends.
 */
#include "../../guest.inc"
    .code64
    .set MSR_KVM_SYSTEM_TIME_NEW, 0x4b564d01
    .set FLAGS, 29              /* of struct pvclock_vcpu_time_info */
    .set GUEST_STOPPED, 2

    mov $MSR_KVM_SYSTEM_TIME_NEW, %ecx
    lea clock + 1(%rip), %rax   /* bit 0: enabled */
    xor %edx, %edx
    wrmsr
    mov $3, %ebp
    putchar $'r'
    putchar $'\n'
1:  testb $GUEST_STOPPED, clock + FLAGS(%rip)
    jz 1b
    andb $~GUEST_STOPPED, clock + FLAGS(%rip)
    putchar $'s'
    putchar $'\n'
    dec %ebp
    jnz 1b
    exit

    .bss
    .balign 32
clock:  .skip 32
