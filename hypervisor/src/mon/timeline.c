/* The timeline of exits; see timeline.h. Each hart writes its own ring. A task reads them in steps,
 * as fast as the console or the disk takes its output. */
#include "mon/timeline.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/console.h"
#include "mem/page.h"
#include "sbi/sbi.h"
#include "vm/fault.h"
#include "vm/report.h"
#include "vm/steps.h"
#include "vm/store.h"

struct event {
    uint64_t begun, took;     /* host time */
    uint64_t cause, pc, what; /* an address, or the extension that was called */
    const char *device;       /* at that address; NULL: none */
    uint16_t function;
    uint8_t vm, vcpu;
};

struct ring {
    uint64_t count; /* written so far; atomic */
    struct event event[];
};

enum { RING_ORDER = 4, LINE_ROOM = 1024, LOOKS_PER_SECOND = 1000 };
enum { DISK_ROOM = SAVED_SECTORS * SAVED_SECTOR }; /* of a request */
enum { RING = ((PAGE_4K << RING_ORDER) - sizeof(struct ring)) / sizeof(struct event) };

static struct ring *rings[CPUS_MAX];

/* Records the hart's exit: its cause before it is served, and the time it took afterwards. */
static void note(struct vcpu *v, bool served)
{
    struct ring *ring = rings[cpu_self()->index];
    struct event *e = &ring->event[ring->count % RING];
    uint64_t cause = v->regs.trap.cause;
    const struct device *device = NULL;

    if (served) {
        e->took = hyp_time() - e->begun;
        __atomic_store_n(&ring->count, ring->count + 1, __ATOMIC_RELEASE); /* pairs with dump */
        return;
    }
    if (cause >= CAUSE_FETCH_GUEST_PAGE && (cause & CAUSE_INTERRUPT) == 0)
        device = vm_device_at(v->vm, fault_address(v));
    *e = (struct event){.begun = hyp_time(),
                        .cause = cause,
                        .pc = v->regs.pc,
                        .what = cause == CAUSE_ECALL_VS ? v->regs.x[17] : fault_address(v),
                        .device = device != NULL ? device->ops->name : NULL,
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
    if (e->cause == CAUSE_ECALL_VS)
        fmt_snprint(text, size, "SBI %s %u", sbi_extension_name(e->what), e->function);
    else if (e->cause & CAUSE_INTERRUPT)
        fmt_snprint(text, size, "interrupt: %s",
                    report_interrupt((unsigned)(e->cause & ~CAUSE_INTERRUPT)));
    else if (e->device != NULL)
        fmt_snprint(text, size, "%s: %s", e->device,
                    e->cause == CAUSE_STORE_GUEST_PAGE ? "store" : "load");
    else
        fmt_snprint(text, size, "%s", report_cause(e->cause));
}

/* The state of a dump. Only the steps use it while they are active, except `ends`, an atomic. */
struct dump {
    bool ends;
    void (*done)(void);
    uint64_t limit;                       /* host time to give up: the console may not be read */
    uint64_t first;                       /* when the first exit that is shown began */
    uint64_t at[CPUS_MAX], end[CPUS_MAX]; /* of each ring */
    unsigned hart, vm;                    /* the next to show */
    bool to_disk, complete;               /* the disk is open; its last request has begun */
    uint64_t record;                      /* requests begun, */
    size_t used;                          /* and bytes of the next one */
    const char *wrong;                    /* an error of the disk, or NULL */
};
static struct dump dump;
static struct steps steps;

static void emit(const char *format, ...) FMT_PRINTF(1, 2);
static void emit(const char *format, ...)
{
    char text[LINE_ROOM];
    va_list args;

    va_start(args, format);
    fmt_vsnprint(text, sizeof text, format, args);
    va_end(args);
    if (dump.to_disk) {
        memcpy((char *)store_record() + dump.used, text, strlen(text));
        dump.used += strlen(text);
    } else {
        print("%s", text);
    }
}

/* Times count from the first event shown. The format has microseconds, here with three decimals. */
static void show_event(const struct event *e, unsigned hart, uint64_t first)
{
    uint64_t at = machine_nanoseconds(e->begun - first), took = machine_nanoseconds(e->took);
    char name[64], place[REPORT_PLACE_SIZE];

    name_event(e, name, sizeof name);
    report_place(vms[e->vm], e->pc, place);
    emit("{\"name\":\"%s\",\"cat\":\"exit\",\"ph\":\"X\",\"ts\":%lu.%03lu,\"dur\":%lu.%03lu,"
         "\"pid\":%u,\"tid\":%u,\"args\":{\"hart\":%lu,\"pc\":\"%s\",\"cause\":%lu,"
         "\"at\":\"0x%lx\"}},\n",
         name, at / 1000, at % 1000, took / 1000, took % 1000, e->vm + 1u, e->vcpu,
         cpus[hart].hartid, place, e->cause & ~CAUSE_INTERRUPT, e->what);
}

/* Shows the next exit of a ring, unless it has been overwritten. False after the last one. */
static bool show_next(unsigned hart)
{
    const struct ring *ring = rings[hart];
    uint64_t at = dump.at[hart]++;
    struct event e;

    if (ring == NULL || at >= dump.end[hart])
        return false;
    e = ring->event[at % RING];
    if (__atomic_load_n(&ring->count, __ATOMIC_ACQUIRE) - at < RING - 1 && e.begun >= dump.first)
        show_event(&e, hart, dump.first);
    return true;
}

/* Shows at most one line. False after the last one. */
static bool show_line(void)
{
    if (dump.hart < cpu_count) {
        if (!show_next(dump.hart))
            dump.hart++;
        return true;
    }
    if (dump.vm == __atomic_load_n(&vm_count, __ATOMIC_ACQUIRE))
        return false;
    emit("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":%u,\"args\":{\"name\":\"%s\"}},\n",
         dump.vm + 1, vms[dump.vm]->config.name);
    dump.vm++;
    return true;
}

static void put_end(bool complete)
{
    emit("{\"name\":\"end\",\"ph\":\"M\",\"pid\":0,\"args\":{\"complete\":%s}}]}\n",
         complete ? "true" : "false");
}

static void finish(bool complete)
{
    if (dump.to_disk) {
        const unsigned number = store_number();

        store_close();
        if (complete && dump.wrong == NULL)
            print("hv: trace: written to the first %lu bytes of disk %u\n", dump.record * DISK_ROOM,
                  number);
        else
            print("hv: trace: incomplete on disk %u: %s\n", number,
                  dump.wrong != NULL ? dump.wrong : "stopped by a key");
    } else {
        put_end(complete);
    }
    dump.done(); /* before steps_end(): a later call would look like the end of the next dump */
    steps_end(&steps);
}

/* Writes the buffer to the disk, padded with white space, which JSON allows. */
static void write_out(void)
{
    memset((char *)store_record() + dump.used, ' ', DISK_ROOM - dump.used);
    ((char *)store_record())[DISK_ROOM - 1] = '\n';
    dump.used = 0;
    dump.wrong = store_begin(dump.record++, true);
}

static void step_to_disk(void)
{
    int state = store_state();

    if (state == DISK_BUSY) {
        steps_wait(&steps, LOOKS_PER_SECOND);
        return;
    }
    if (state == DISK_ERROR)
        dump.wrong = "a disk request failed";
    if (dump.wrong != NULL || dump.complete) {
        finish(dump.complete);
    } else if (dump.used + LINE_ROOM > DISK_ROOM) {
        write_out();
    } else if (!show_line()) {
        put_end(true);
        write_out();
        dump.complete = true;
    }
}

static void step(void)
{
    uint64_t now = hyp_time();

    if (__atomic_load_n(&dump.ends, __ATOMIC_ACQUIRE)) {
        finish(false);
    } else if (dump.to_disk) {
        step_to_disk();
    } else if (console_room() >= LINE_ROOM) {
        dump.limit = now + machine.timebase;
        if (!show_line())
            finish(true);
    } else if (now > dump.limit) {
        finish(false);
    } else {
        steps_wait(&steps, LOOKS_PER_SECOND);
    }
}

bool timeline_dump(unsigned count, int disk, void (*done)(void))
{
    if (steps_are_active(&steps)) {
        print("hv: trace: the last dump has not finished yet\n");
        return false;
    }
    if (disk >= 0 && !store_open((unsigned)disk))
        return false;
    dump.to_disk = disk >= 0;
    dump.complete = false;
    dump.record = dump.used = 0;
    dump.wrong = NULL;
    dump.first = ~0ul;
    dump.hart = dump.vm = 0;
    dump.limit = hyp_time() + machine.timebase;
    dump.done = done;
    for (unsigned i = 0; i < cpu_count && rings[i] != NULL; i++) {
        dump.end[i] = __atomic_load_n(&rings[i]->count, __ATOMIC_ACQUIRE);
        dump.at[i] = dump.end[i] - min64(dump.end[i], min64(count, RING - 1));
        if (dump.at[i] < dump.end[i])
            dump.first = min64(dump.first, rings[i]->event[dump.at[i] % RING].begun);
    }
    emit("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    __atomic_store_n(&dump.ends, false, __ATOMIC_RELAXED);
    steps_begin(&steps, step);
    return true;
}

void timeline_end(void)
{
    __atomic_store_n(&dump.ends, true, __ATOMIC_RELEASE); /* polled 1,000 times a second */
}
