/* Firmware that leaves the local APIC in x2APIC mode. */
#include "rom.inc"

#define APIC_BASE 0x1b
#define ENABLED   0xc00         /* bits 10 and 11: on, and by MSR */

        rom_begin
        movl    $APIC_BASE, %ecx
        rdmsr
        orl     $ENABLED, %eax
        wrmsr
        rom_end
