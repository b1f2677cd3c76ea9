/* The IDT and the way from a vector to its handler: Intel SDM volume 3, chapter 6; see
 * interrupt.h. */
#include "interrupt.h"

#include "common/exception.h"
#include "common/x86.h"
#include "cpu.h"
#include "cpu/flush.h"
#include "cpu/panic.h"
#include "interrupt/apic.h"
#include "interrupt/gdt.h"
#include "interrupt/handler.h"
#include "interrupt/pic.h"

enum { GATE_INTERRUPT = 0x8e00, GATE_RING_3 = 0x6000 }; /* present, interrupts off on entry */

/* SDM volume 3, figure 6-8. */
struct gate {
    uint16_t offset_low, selector;
    uint16_t flags; /* IST in bits 0-2, type and present above */
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

_Static_assert(sizeof(struct gate) == 16, "SDM volume 3, figure 6-8");

extern const uint64_t vector_table[INTERRUPT_VECTORS];

static struct gate idt[INTERRUPT_VECTORS] CPU_IN_ALL_TABLES;

/* Used before there is a controller: no interrupt needs an end of interrupt (EOI). */
static bool always(unsigned vector)
{
    (void)vector;
    return true;
}

static const struct interrupt_controller none = {.name = "none", .spurious = always};
static const struct interrupt_controller *controller = &none;

struct route {
    const char *name;
    interrupt_handler *handler;
    void *context;
    uint64_t count;
};

/* Written before the line is enabled, never afterwards, except the count. */
static struct route routes[INTERRUPT_VECTORS];

static uint64_t spurious_count;

/* Device interrupts have their own stack. Otherwise a thread without free stack would lose the
 * interrupt and its EOI. */
static enum gdt_stack stack_of(unsigned vector)
{
    if (vector >= INTERRUPT_EXCEPTIONS && vector != INTERRUPT_SYSTEM_CALL)
        return GDT_STACK_DEVICES;
    switch (vector) {
    case EXCEPTION_DF:
        return GDT_STACK_DOUBLE_FAULT;
    case EXCEPTION_NMI:
        return GDT_STACK_NMI;
    case EXCEPTION_MC:
        return GDT_STACK_MACHINE_CHECK;
    default:
        return GDT_STACK_IN_USE;
    }
}

static void load(void)
{
    struct x86_table_register idtr = {sizeof idt - 1, (uintptr_t)idt};

    gdt_init();
    x86_lidt(&idtr);
}

void interrupt_init(void)
{
    for (unsigned v = 0; v < INTERRUPT_VECTORS; v++) {
        uint64_t at = vector_table[v];

        idt[v] = (struct gate){.offset_low = (uint16_t)at,
                               .selector = GDT_SELECTOR_CODE,
                               .flags = (uint16_t)(GATE_INTERRUPT | stack_of(v)),
                               .offset_middle = (uint16_t)(at >> 16),
                               .offset_high = (uint32_t)(at >> 32)};
    }
    idt[INTERRUPT_SYSTEM_CALL].flags |= GATE_RING_3;
    load();
}

void interrupt_init_other(void)
{
    load();
    apic_init_other();
}

static void answer_flush(void *context)
{
    (void)context;
    flush_serve();
}

void interrupt_init_controller(void)
{
    pic_init(); /* remapped even if masked: its spurious interrupts must not be faults */
    controller = apic_init();
    if (controller != NULL)
        interrupt_attach(INTERRUPT_FLUSH, "flush (from a processor)", answer_flush, NULL);
    else
        controller = pic_controller();
}

const struct interrupt_controller *interrupt_controller(void)
{
    return controller;
}

void interrupt_attach(unsigned vector, const char *name, interrupt_handler *handler, void *context)
{
    struct route *route = &routes[vector % INTERRUPT_VECTORS];

    if (route->handler != NULL)
        panic("vector %u: %s asks for it, but %s has it", vector, name, route->name);
    route->name = name;
    route->context = context;
    route->handler = handler;
}

void interrupt_attach_line(unsigned line, const char *name, interrupt_handler *handler,
                           void *context)
{
    interrupt_attach(INTERRUPT_IRQ_BASE + line, name, handler, context);
    controller->enable(line);
}

/* Several processors may count at the same time. */
static void count(struct route *route)
{
    __atomic_add_fetch(&route->count, 1, __ATOMIC_RELAXED);
}

/* A vector without a handler is counted as stray, and gets its EOI like any other, or the
 * controller would block all vectors of lower priority. */
static void external(const struct interrupt_frame *frame)
{
    struct route *route = &routes[frame->vector];

    count(route);
    if (controller->spurious != NULL && controller->spurious((unsigned)frame->vector)) {
        __atomic_add_fetch(&spurious_count, 1, __ATOMIC_RELAXED);
        return;
    }
    if (route->handler != NULL)
        route->handler(route->context);
    controller->end((unsigned)frame->vector);
}

/* Interrupts do not nest: all gates and handlers keep them off. */
void interrupt_dispatch(struct interrupt_frame *frame)
{
    if (frame->vector < INTERRUPT_EXCEPTIONS) {
        count(&routes[frame->vector]);
        handler_exception(frame);
        return;
    }
    if (cpu_this()->resting)
        flush_wake();
    cpu_this()->interrupt_depth = 1;
    external(frame);
    cpu_this()->interrupt_depth = 0;
    if (cpu_this()->attention != 0)
        handler_leave(frame);
}

struct interrupt_stats interrupt_stats(unsigned vector)
{
    const struct route *route = &routes[vector % INTERRUPT_VECTORS];

    return (struct interrupt_stats){route->name, route->count};
}

uint64_t interrupt_spurious_count(void)
{
    return spurious_count + routes[INTERRUPT_SPURIOUS].count;
}
