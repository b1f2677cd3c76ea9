/*
 * Skip this when you read the kernel for the first time; see appendix.h.
 *
 * Page tables: Intel SDM volume 3, sections 4.3 (two levels, entries of 4 bytes) and 4.4 (PAE:
 * three levels, entries of 8 bytes). Tasks: volume 3, chapter 7.
 */
#include "kernel/appendix.h"

#include "common/exception.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/cpu/cpu.h"

enum { CPUID_1_PAE = 1 << 6, CPUID_80000001_NX = 1 << 20 };

static const struct page_format two_levels = {0, 10, 22};
static const struct page_format pae = {1, 9, PAE_TOP_SHIFT};
static const struct page_format *chosen = &two_levels;

const struct page_format *appendix_choose_format(void)
{
    if ((x86_cpuid(1, 0).d & CPUID_1_PAE) && x86_cpuid(0x80000000, 0).a >= 0x80000001 &&
        (x86_cpuid(0x80000001, 0).d & CPUID_80000001_NX)) {
        chosen = &pae;
        kernel_info.features |= SYSTEM_NO_EXECUTE;
        x86_wrmsr(X86_MSR_EFER, X86_EFER_NXE);
    }
    return chosen;
}

/*
 * PAE has to be turned on while paging is on (SDM 3, 4.1.2), because the kernel is not mapped at
 * its physical address. For that moment the new top table is valid in both formats: PAE reads its
 * first 32 bytes; the older format reads entries 512 and up for the kernel's addresses, which are
 * in the upper half of the page, and there we copy the loader's entries.
 */
void appendix_leave_loader_tables(uint32_t space)
{
    const size_t half = PAGE_SIZE / 2;
    char *top = kernel_virtual(space);
    const char *loader_top = kernel_virtual(x86_read_cr3() & -PAGE_SIZE);

    if (chosen == &pae)
        memcpy(top + half, loader_top + half, half);
    x86_write_cr3(space);
    if (chosen == &pae)
        x86_write_cr4(x86_read_cr4() | X86_CR4_PAE);
}

/*
 * An overflow of the kernel's stack ends in a double fault, and an NMI may come at any instruction,
 * also while ESP still points into a struct process (entry.S). Neither handler can use the current
 * stack. A task gate makes the processor save all registers in the TSS of the interrupted task and
 * load those of another, which has a stack of its own.
 */
enum { RESCUE_STACK_SIZE = 4096 };

static struct task_state rescue_task, nmi_task;
static char rescue_stack[RESCUE_STACK_SIZE];

/*
 * Runs after a double fault. It gives this stack to the task that failed, as if the processor had
 * pushed the exception on it, and returns to that task, at the entry for double faults. From there
 * on it is an exception like any other.
 */
static void __attribute__((noreturn)) rescue(void)
{
    struct trap_frame *frame = (struct trap_frame *)(rescue_stack + RESCUE_STACK_SIZE) - 1;

    frame->error = 0;
    frame->eip = descriptors_task.eip;
    frame->cs = KERNEL_CODE;
    frame->eflags = descriptors_task.eflags;
    frame->esp = descriptors_task.esp;
    descriptors_task.esp = (uint32_t)&frame->error;
    descriptors_task.eip = descriptors_stub(EXCEPTION_DF);
    __asm__ volatile("iret; ud2" : : : "memory");
    __builtin_unreachable();
}

/* NMIs are ignored: no device here has a use for them. After IRET the task's saved EIP is that of
 * the jump, where the next NMI resumes it. */
static void __attribute__((naked)) ignore_nmi(void)
{
    __asm__ volatile("1: iret\n\tjmp 1b");
}

static void create_task(struct task_state *task, uint32_t space, void (*entry)(void))
{
    *task = (struct task_state){.cr3 = space,
                                .eip = (uint32_t)entry,
                                .eflags = X86_FLAGS_1,
                                .esp = (uint32_t)rescue_stack + RESCUE_STACK_SIZE / 2,
                                .cs = KERNEL_CODE,
                                .ss = KERNEL_STACK,
                                .ds = PROGRAM_DATA,
                                .es = PROGRAM_DATA};
}

void appendix_create_tasks(uint32_t space)
{
    descriptors_set_space(space);
    create_task(&rescue_task, space, rescue);
    create_task(&nmi_task, space, ignore_nmi); /* it pushes nothing, so it needs no stack */
    descriptors_set_task(EXCEPTION_DF, RESCUE_TASK, &rescue_task);
    descriptors_set_task(EXCEPTION_NMI, NMI_TASK, &nmi_task);
}
