/* The main loop of each hart; see run.h. */
#include "vm/run.h"

#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/serial.h"
#include "vm/life.h"
#include "vm/memory.h"
#include "vm/trap.h"

/* The structure of SBI STA in guest memory (SBI 16.1); the rest of the 64 bytes is zero. */
struct stolen {
    uint32_t sequence, flags;
    uint64_t time; /* nanoseconds that it waited for a hart */
};

/* The sequence is odd while the time changes, since another vCPU may read it meanwhile. Each vCPU's
 * hart writes only that vCPU's structure. */
static void show_stolen(struct vcpu *v)
{
    struct stolen s = {.sequence = v->steal_sequence + 1};

    if (v->steal == ~0ul)
        return;
    s.time = machine_nanoseconds(v->task.waited);
    if (!memory_write(v->vm, v->steal, &s, 4))
        return;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if (!memory_write(v->vm, v->steal + offsetof(struct stolen, time), &s.time, 8))
        return;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    s.sequence++;
    if (memory_write(v->vm, v->steal, &s, 4))
        v->steal_sequence = s.sequence; /* else the next update begins with the same odd number */
}

void run_vcpu(struct vcpu *v)
{
    vcpu_wake_up(v);
    show_stolen(v);
    vcpu_load(v);
    do {
        vcpu_sync(v);
        if (__atomic_load_n(&v->event_due, __ATOMIC_ACQUIRE))
            vm_hooks.event(v);
        cpu_interrupts_were_off();
        guest_enter(&v->regs);
        cpu_interrupts_are_off();
        trap_handle(v);
        serial_deliver();
    } while (sched_goes_on(&v->task));
    vcpu_save(v);
    if (v->vm->state != VM_RUNNING) {
        vcpu_unload();
        life_paused(v->vm);
    }
}

/* Removes all guest state from the hart first, so that no guest's interrupt wakes it. */
static void rest(void)
{
    vcpu_unload();
    cpu_interrupts_were_off();
    hyp_wait_for_interrupt();
    cpu_interrupts_are_off();
    cpu_serve_interrupts();
    serial_deliver();
}

void run_hart(void)
{
    cpu_interrupts_are_off();
    for (;;) {
        struct task *task = sched_take();

        if (task == NULL) {
            rest();
            continue;
        }
        task->ops->run(task);
        sched_leave(task);
        serial_deliver();
    }
}
