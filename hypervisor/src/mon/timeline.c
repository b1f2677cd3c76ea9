/* The timeline of exits; see timeline.h. Each hart writes its own ring; the monitor reads them. */
#include "mon/timeline.h"

#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "mem/page.h"
#include "sbi/sbi.h"
#include "vm/fault.h"
#include "vm/report.h"

struct event {
    uint64_t begun, took;     /* host time */
    uint64_t cause, pc, what; /* an address, or the extension that was called */
    uint16_t function;
    uint8_t vm, vcpu;
};

struct ring {
    uint64_t count; /* written so far; atomic */
    struct event event[];
};

enum { RING_ORDER = 4 };
enum { RING = ((PAGE_4K << RING_ORDER) - sizeof(struct ring)) / sizeof(struct event) };

static struct ring *rings[CPUS_MAX];

/* What the hart's exit is: before it is served, and how long that took after. */
static void note(struct vcpu *v, bool served)
{
    struct ring *ring = rings[cpu_self()->index];
    struct event *e = &ring->event[ring->count % RING];
    uint64_t cause = v->regs.trap.cause;

    if (served) {
        e->took = hyp_time() - e->begun;
        __atomic_store_n(&ring->count, ring->count + 1, __ATOMIC_RELEASE); /* pairs with dump */
        return;
    }
    *e = (struct event){.begun = hyp_time(),
                        .cause = cause,
                        .pc = v->regs.pc,
                        .what = cause == CAUSE_ECALL_VS ? v->regs.x[17] : fault_address(v),
                        .function = (uint16_t)v->regs.x[16],
                        .vm = (uint8_t)v->vm->id,
                        .vcpu = (uint8_t)v->id};
}

bool timeline_start(void)
{
    for (unsigned i = 0; i < cpu_count; i++) {
        if (rings[i] == NULL)
            rings[i] = page_alloc(NULL, RING_ORDER);
        if (rings[i] == NULL) {
            print("hv: trace: no memory for %u events a hart\n", RING);
            return false;
        }
    }
    __atomic_store_n(&vm_hooks.traced, note, __ATOMIC_RELEASE);
    return true;
}

void timeline_stop(void)
{
    __atomic_store_n(&vm_hooks.traced, NULL, __ATOMIC_RELEASE);
}

/* ---- As JSON ---- */

static void name_event(const struct event *e, char *text, size_t size)
{
    const struct device *d = vm_device_at(vms[e->vm], e->what);

    if (e->cause == CAUSE_ECALL_VS)
        fmt_snprint(text, size, "SBI %s %u", sbi_extension_name(e->what), e->function);
    else if (e->cause & CAUSE_INTERRUPT)
        fmt_snprint(text, size, "interrupt: %s",
                    report_interrupt((unsigned)(e->cause & ~CAUSE_INTERRUPT)));
    else if (e->cause >= CAUSE_FETCH_GUEST_PAGE && d != NULL)
        fmt_snprint(text, size, "%s: %s", d->ops->name,
                    e->cause == CAUSE_STORE_GUEST_PAGE ? "store" : "load");
    else
        fmt_snprint(text, size, "%s", report_cause(e->cause));
}

/* Nanoseconds from the first event shown: microseconds with three places is what the format wants.
 */
static void show_event(const struct event *e, unsigned hart, uint64_t first)
{
    uint64_t at = machine_nanoseconds(e->begun - first), took = machine_nanoseconds(e->took);
    char name[64];

    name_event(e, name, sizeof name);
    print("{\"name\":\"%s\",\"cat\":\"exit\",\"ph\":\"X\",\"ts\":%lu.%03lu,\"dur\":%lu.%03lu,"
          "\"pid\":%u,\"tid\":%u,\"args\":{\"hart\":%lu,\"pc\":\"0x%lx\",\"cause\":%lu,"
          "\"at\":\"0x%lx\"}},\n",
          name, at / 1000, at % 1000, took / 1000, took % 1000, e->vm + 1u, e->vcpu,
          cpus[hart].hartid, e->pc, e->cause & ~CAUSE_INTERRUPT, e->what);
}

/* Waits until the console has room for a line, a second at most: it may not be read. */
static bool room_comes(void)
{
    uint64_t limit = hyp_time() + machine.timebase;

    do
        cpu_serve_interrupts();
    while (console_room() < 1024 && hyp_time() < limit);
    return console_room() >= 1024;
}

/* The newest events of a ring from `*from` on, which may be overwritten while they are shown. */
static uint64_t oldest(const struct ring *ring, unsigned count, uint64_t *end)
{
    *end = __atomic_load_n(&ring->count, __ATOMIC_ACQUIRE);
    return *end > min64(count, RING - 1) ? *end - min64(count, RING - 1) : 0;
}

void timeline_dump(unsigned count)
{
    uint64_t first = ~0ul, end;
    bool complete = true;

    for (unsigned i = 0; i < cpu_count; i++)
        if (rings[i] != NULL && oldest(rings[i], count, &end) < end)
            first = min64(first, rings[i]->event[oldest(rings[i], count, &end) % RING].begun);
    print("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    for (unsigned i = 0; i < cpu_count && rings[i] != NULL; i++) {
        for (uint64_t at = oldest(rings[i], count, &end); at < end && complete; at++) {
            struct event e = rings[i]->event[at % RING];

            if (rings[i]->count - at >= RING - 1 || e.begun < first)
                continue; /* it was overwritten meanwhile */
            complete = room_comes();
            show_event(&e, i, first);
        }
    }
    for (unsigned i = 0; i < vm_count && complete; i++)
        print("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":%u,\"args\":{\"name\":\"%s\"}},\n",
              i + 1, vms[i]->config.name);
    print("{\"name\":\"end\",\"ph\":\"M\",\"pid\":0,\"args\":{\"complete\":%s}}]}\n",
          complete ? "true" : "false");
}
