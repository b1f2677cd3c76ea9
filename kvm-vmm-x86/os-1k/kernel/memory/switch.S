/*
 * space_switch(space, cr4, efer): moves from the loader's page tables to the kernel's, with `cr4`
 * and `efer` the bits to set in these registers.
 *
 * The format of the tables can change only while paging is off (Intel SDM volume 3, 4.1.2). So this
 * is called at its physical address, where both sets of tables show it, and touches no memory until
 * paging is on again; the return address on the stack leads back up.
 */
#define MSR_EFER  0xc0000080
#define CR0_PG    0x80000000
#define CR0_ON    0x80010004 /* PG; WP: read-only holds for ring 0 too; EM: no floating point */
#define CR0_OFF   0x0000000a /* TS and MP, which would change what EM means */

    .text
    .globl space_switch
space_switch:
    pushal
    movl    36(%esp), %ebx          /* arguments lie above 8 registers and the return address */
    movl    40(%esp), %esi
    movl    44(%esp), %edi
    movl    %cr0, %ebp
    andl    $~CR0_PG, %ebp
    movl    %ebp, %cr0

    movl    %cr4, %eax
    orl     %esi, %eax
    movl    %eax, %cr4
    testl   %edi, %edi              /* a processor without NX may not have the register */
    jz      1f
    movl    $MSR_EFER, %ecx
    rdmsr
    orl     %edi, %eax
    wrmsr
1:  movl    %ebx, %cr3
    andl    $~CR0_OFF, %ebp
    orl     $CR0_ON, %ebp
    movl    %ebp, %cr0
    popal
    ret
