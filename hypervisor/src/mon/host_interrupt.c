/* The machine's device interrupts; see host_interrupt.h. All go to the boot hart. */
#include "mon/host_interrupt.h"

#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "host/intc.h"
#include "host/machine.h"
#include "host/serial.h"
#include "lib/lock.h"
#include "mon/mux.h"

enum { POLLS_PER_SECOND = 50 };
enum { BURST_MAX = 64 }; /* bytes taken at once, so that a flood on the line holds up nobody */

static struct lock lock; /* one hart at a time feeds the multiplexer */
static bool by_interrupt;
static uint32_t context;
static const struct cpu
    *poller;               /* the hart that looks at the serial port, where nothing interrupts */
static uint64_t next_poll; /* host time; that hart's alone */

void host_interrupt_init(void)
{
    context = machine.plic_context[cpu_self()->index];
    by_interrupt = machine.uart.base != 0 && machine.uart.interrupt != 0 &&
                   machine.plic.base != 0 && context != ~0u;
    if (!by_interrupt) {
        poller = machine.uart.base != 0 ? cpu_self() : NULL;
        return;
    }
    intc_init(machine.plic.base);
    intc_enable(context, machine.uart.interrupt);
    serial_enable_receive_interrupt();
}

static void drain(void)
{
    int byte;

    lock_take(&lock);
    for (int i = 0; i < BURST_MAX && (byte = serial_read()) >= 0; i++)
        mux_input((uint8_t)byte);
    lock_drop(&lock);
}

void host_interrupt_serve(void)
{
    uint32_t interrupt = intc_claim(context);

    if (interrupt == machine.uart.interrupt)
        drain();
    if (interrupt != 0)
        intc_complete(context, interrupt);
}

void host_interrupt_poll(void)
{
    if (poller != cpu_self() || hyp_time() < next_poll)
        return;
    next_poll = hyp_time() + machine.timebase / POLLS_PER_SECOND;
    drain();
}

uint64_t host_interrupt_next_poll(void)
{
    return poller == cpu_self() ? next_poll : ~0ul;
}
