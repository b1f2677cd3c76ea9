/*
 * Control and status registers, by number, so that assemblers that do not know the hypervisor
 * extension's names will do (RISC-V Privileged Architecture, 20240411: table 5 and chapters 10 and
 * 15). Shared by C and assembly.
 */
#ifndef CPU_CSR_H
#define CPU_CSR_H

/* Supervisor */
#define CSR_SSTATUS    0x100
#define CSR_SIE        0x104
#define CSR_STVEC      0x105
#define CSR_SCOUNTEREN 0x106
#define CSR_SENVCFG    0x10a
#define CSR_SSTATEEN0  0x10c
#define CSR_SSCRATCH   0x140
#define CSR_SEPC       0x141
#define CSR_SCAUSE     0x142
#define CSR_STVAL      0x143
#define CSR_SIP        0x144
#define CSR_STIMECMP   0x14d
#define CSR_SISELECT   0x150 /* this, SIREG and STOPEI: AIA 2.1 */
#define CSR_SIREG      0x151
#define CSR_STOPEI     0x15c
#define CSR_SATP       0x180
#define CSR_CYCLE      0xc00
#define CSR_TIME       0xc01
#define CSR_INSTRET    0xc02
/* Virtual supervisor: what the guest's supervisor CSRs are called from outside */
#define CSR_VSSTATUS  0x200
#define CSR_VSIE      0x204
#define CSR_VSTVEC    0x205
#define CSR_VSSCRATCH 0x240
#define CSR_VSEPC     0x241
#define CSR_VSCAUSE   0x242
#define CSR_VSTVAL    0x243
#define CSR_VSIP      0x244
#define CSR_VSTIMECMP 0x24d
#define CSR_VSISELECT 0x250 /* this and VSIREG: AIA 2.3 */
#define CSR_VSIREG    0x251
#define CSR_VSATP     0x280
/* Hypervisor */
#define CSR_HSTATUS    0x600
#define CSR_HEDELEG    0x602
#define CSR_HIDELEG    0x603
#define CSR_HIE        0x604
#define CSR_HTIMEDELTA 0x605
#define CSR_HCOUNTEREN 0x606
#define CSR_HGEIE      0x607
#define CSR_HENVCFG    0x60a
#define CSR_HSTATEEN0  0x60c
#define CSR_HTVAL      0x643
#define CSR_HIP        0x644
#define CSR_HVIP       0x645
#define CSR_HTINST     0x64a
#define CSR_HGATP      0x680
#define CSR_HGEIP      0xe12
/* Hypervisor, of the AIA (2.3) */
#define CSR_HVIEN    0x608
#define CSR_HVICTL   0x609
#define CSR_HVIPRIO1 0x646
#define CSR_HVIPRIO2 0x647
/* Vector */
#define CSR_VSTART 0x008
#define CSR_VCSR   0x00f
#define CSR_VL     0xc20
#define CSR_VTYPE  0xc21
#define CSR_VLENB  0xc22

/* sstatus and vsstatus */
#define SSTATUS_SIE     (1ul << 1)
#define SSTATUS_SPIE    (1ul << 5)
#define SSTATUS_SPP     (1ul << 8)
#define SSTATUS_VS      (3ul << 9)
#define SSTATUS_FS      (3ul << 13)
#define SSTATUS_UXL_64  (2ul << 32)
#define STATUS_INITIAL  1 /* value of the VS and FS fields */
#define STATUS_DIRTY    3
#define STATUS_VS_SHIFT 9
#define STATUS_FS_SHIFT 13

/* hstatus */
#define HSTATUS_SPV         (1ul << 7) /* the trap came from V=1; sret goes there */
#define HSTATUS_SPVP        (1ul << 8) /* it was VS-mode, not VU-mode; HLV accesses as that mode */
#define HSTATUS_VGEIN_SHIFT 12         /* the guest interrupt file that is VS-mode's */
#define HSTATUS_VTVM        (1ul << 20)
#define HSTATUS_VTW         (1ul << 21)
#define HSTATUS_VSXL64      (2ul << 32)

/* Interrupts: number of the bit in sip, sie, hvip, hideleg */
#define IRQ_S_SOFT   1
#define IRQ_VS_SOFT  2
#define IRQ_S_TIMER  5
#define IRQ_VS_TIMER 6
#define IRQ_S_EXT    9
#define IRQ_VS_EXT   10
#define IRQ_GUEST    12 /* in hip and hie: of a file that is not VS-mode's now */
#define HVIP_VSSIP   (1ul << IRQ_VS_SOFT)
#define HVIP_VSTIP   (1ul << IRQ_VS_TIMER)
#define HVIP_VSEIP   (1ul << IRQ_VS_EXT)
#define HVIP_ALL     (HVIP_VSSIP | HVIP_VSTIP | HVIP_VSEIP)

/* scause */
#define CAUSE_INTERRUPT        (1ul << 63)
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS     1
#define CAUSE_ILLEGAL          2
#define CAUSE_BREAKPOINT       3
#define CAUSE_LOAD_MISALIGNED  4
#define CAUSE_LOAD_ACCESS      5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS     7
#define CAUSE_ECALL_U          8
#define CAUSE_ECALL_S          9
#define CAUSE_ECALL_VS         10
#define CAUSE_FETCH_PAGE       12
#define CAUSE_LOAD_PAGE        13
#define CAUSE_STORE_PAGE       15
#define CAUSE_SOFTWARE_CHECK   18
#define CAUSE_HARDWARE_ERROR   19
#define CAUSE_FETCH_GUEST_PAGE 20
#define CAUSE_LOAD_GUEST_PAGE  21
#define CAUSE_VIRTUAL_INSN     22
#define CAUSE_STORE_GUEST_PAGE 23

/* henvcfg */
#define HENVCFG_FIOM       (1ul << 0)
#define HENVCFG_CBIE_FLUSH (1ul << 4) /* cbo.inval does what cbo.flush does */
#define HENVCFG_CBCFE      (1ul << 6)
#define HENVCFG_CBZE       (1ul << 7)
#define HENVCFG_ADUE       (1ul << 61)
#define HENVCFG_PBMTE      (1ul << 62)
#define HENVCFG_STCE       (1ul << 63)
/* hstateen0 */
#define HSTATEEN_AIA    (7ul << 58) /* IMSIC, the rest of AIA, siselect */
#define HSTATEEN_ENVCFG (1ul << 62)
#define HSTATEEN_SE     (1ul << 63)

/* What siselect and vsiselect choose of an IMSIC's file (AIA 3.8), and the fields of stopei */
#define IMSIC_DELIVERY  0x70 /* 1: it interrupts its hart */
#define IMSIC_THRESHOLD 0x72 /* 0: by any MSI */
#define IMSIC_PENDING   0x80 /* the first of 32; in RV64 the even ones, 64 MSIs each */
#define IMSIC_ENABLE    0xc0
#define TOPEI_ID_SHIFT  16
#define TOPEI_ID_MASK   0x7ff

/* satp, vsatp, hgatp */
#define ATP_MODE_SHIFT   60
#define ATP_MODE_BARE    0ul
#define ATP_MODE_SV39    8ul
#define ATP_MODE_SV48    9ul
#define ATP_MODE_SV57    10ul
#define ATP_PPN_MASK     ((1ul << 44) - 1)
#define HGATP_VMID_SHIFT 44
#define HGATP_VMID_MASK  (0x3ffful << HGATP_VMID_SHIFT)

#ifndef __ASSEMBLY__
#include <stdbool.h>
#include <stdint.h>

#define csr_read(csr)                                                                              \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("csrr %0, %1" : "=r"(value_) : "i"(csr) : "memory");                      \
        value_;                                                                                    \
    })
#define csr_write(csr, value)                                                                      \
    __asm__ volatile("csrw %0, %1" : : "i"(csr), "rK"((uint64_t)(value)) : "memory")
#define csr_swap(csr, value)                                                                       \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("csrrw %0, %1, %2"                                                        \
                         : "=r"(value_)                                                            \
                         : "i"(csr), "rK"((uint64_t)(value))                                       \
                         : "memory");                                                              \
        value_;                                                                                    \
    })
#define csr_set(csr, bits)                                                                         \
    __asm__ volatile("csrs %0, %1" : : "i"(csr), "rK"((uint64_t)(bits)) : "memory")
#define csr_clear(csr, bits)                                                                       \
    __asm__ volatile("csrc %0, %1" : : "i"(csr), "rK"((uint64_t)(bits)) : "memory")

/*
 * An instruction that may trap: host_trap() finds its address in the exception table, notes the
 * trap in the hart's `fault`, and goes on behind it with `bad` still 1.
 */
#define GUARDED(instruction)                                                                       \
    "li %[bad], 1\n"                                                                               \
    "1: " instruction "\n"                                                                         \
    "li %[bad], 0\n"                                                                               \
    "2:\n"                                                                                         \
    ".pushsection .extable, \"a\"\n"                                                               \
    ".balign 8\n"                                                                                  \
    ".dword 1b, 2b\n"                                                                              \
    ".popsection\n"

/* Reads or writes a CSR that may not exist; false where it does not. */
#define csr_try_read(csr, out)                                                                     \
    ({                                                                                             \
        uint64_t bad_, value_ = 0;                                                                 \
        __asm__ volatile(GUARDED("csrr %[v], %[n]")                                                \
                         : [bad] "=&r"(bad_), [v] "+&r"(value_)                                    \
                         : [n] "i"(csr)                                                            \
                         : "memory");                                                              \
        *(out) = value_;                                                                           \
        bad_ == 0;                                                                                 \
    })
#define csr_try_write(csr, value)                                                                  \
    ({                                                                                             \
        uint64_t bad_;                                                                             \
        __asm__ volatile(GUARDED("csrw %[n], %[v]")                                                \
                         : [bad] "=&r"(bad_)                                                       \
                         : [n] "i"(csr), [v] "r"((uint64_t)(value))                                \
                         : "memory");                                                              \
        bad_ == 0;                                                                                 \
    })
#endif

#endif
