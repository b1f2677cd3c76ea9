/* Answers gdb's requests about a stopped guest; see gdb_answer.h. */
#include "mon/gdb_answer.h"

#include "common/fmt.h"
#include "common/string.h"

enum { PACKET = 0x800, MEMORY_MOST = PACKET / 2 - 8 }; /* announced as PacketSize */

bool gdb_answer_thread(const struct debug *d, struct gdb_scan *s, unsigned *vcpu)
{
    uint64_t number;

    if (!gdb_scan_number(s, &number) || number < 1 || number > d->vm->vcpu_count)
        return false;
    *vcpu = (unsigned)number - 1;
    return true;
}

static void all_registers(struct debug *d, struct gdb_scan *s, struct gdb_writer *w, bool write)
{
    bool good = true;

    for (unsigned i = 0; i < DEBUG_REGISTERS && good; i++) {
        if (write)
            good = gdb_scan_hex(s, debug_register(d, i), sizeof(uint64_t));
        else
            gdb_put_hex(w, debug_register(d, i), sizeof(uint64_t));
    }
    d->vm->vcpus[d->thread]->regs.x[0] = 0;
    if (write)
        gdb_put_result(w, good ? 0 : DEBUG_ARGUMENT);
}

static void one_register(struct debug *d, struct gdb_scan *s, struct gdb_writer *w, bool write)
{
    uint64_t number, value;

    if (!gdb_scan_number(s, &number) || debug_register(d, number) == NULL)
        gdb_put_result(w, DEBUG_ARGUMENT);
    else if (!write)
        gdb_put_hex(w, debug_register(d, number), sizeof value);
    else if (!gdb_scan_word(s, "=") || !gdb_scan_hex(s, &value, sizeof value))
        gdb_put_result(w, DEBUG_ARGUMENT);
    else {
        if (number != 0)
            *debug_register(d, number) = value;
        gdb_put_result(w, 0);
    }
}

static void some_memory(struct debug *d, struct gdb_scan *s, struct gdb_writer *w, bool write)
{
    uint8_t bytes[MEMORY_MOST];
    uint64_t at, size;
    int result;

    if (!gdb_scan_range(s, &at, &size) || size > sizeof bytes ||
        (write && (!gdb_scan_word(s, ":") || !gdb_scan_hex(s, bytes, size)))) {
        gdb_put_result(w, DEBUG_ARGUMENT);
        return;
    }
    result = debug_copy(d, at, bytes, size, write);
    if (result == 0 && !write)
        gdb_put_hex(w, bytes, size);
    else
        gdb_put_result(w, result);
}

/* An unknown kind of breakpoint gets an empty answer. */
static void point(struct debug *d, struct gdb_scan *s, struct gdb_writer *w, bool set)
{
    uint64_t at, length, kind;
    int result;

    if (!gdb_scan_number(s, &kind) || !debug_has_kind(kind))
        return;
    if (!gdb_scan_word(s, ",") || !gdb_scan_range(s, &at, &length))
        result = DEBUG_ARGUMENT;
    else if (set)
        result = debug_set(d, kind, at, length);
    else
        result = debug_clear(d, kind, at);
    gdb_put_result(w, result);
}

static void target_description(struct gdb_scan *s, struct gdb_writer *w)
{
    static char xml[DEBUG_XML];
    uint64_t from, size, length = debug_describe(xml);

    if (!gdb_scan_range(s, &from, &size) || from > length) {
        gdb_put_result(w, DEBUG_ARGUMENT);
        return;
    }
    size = min64(min64(size, length - from), MEMORY_MOST);
    gdb_put_text(w, from + size < length ? "m" : "l");
    gdb_put_binary(w, xml + from, size);
}

static void thread_info(const struct debug *d, struct gdb_scan *s, struct gdb_writer *w)
{
    static const char *const states[] = {"stopped", "ready", "running", "waits"};
    char text[32];
    unsigned vcpu;

    if (!gdb_answer_thread(d, s, &vcpu)) {
        gdb_put_result(w, DEBUG_ARGUMENT);
        return;
    }
    fmt_snprint(text, sizeof text, "vCPU %u, %s", vcpu,
                states[sched_state(&d->vm->vcpus[vcpu]->task)]);
    gdb_put_hex(w, text, strlen(text));
}

static void query(const struct debug *d, struct gdb_scan *s, struct gdb_writer *w)
{
    if (gdb_scan_word(s, "Supported"))
        gdb_put_text(w, "PacketSize=800;qXfer:features:read+;vContSupported+");
    else if (gdb_scan_word(s, "Xfer:features:read:target.xml:"))
        target_description(s, w);
    else if (gdb_scan_word(s, "fThreadInfo"))
        for (unsigned i = 0; i < d->vm->vcpu_count; i++) {
            gdb_put_text(w, i == 0 ? "m" : ",");
            gdb_put_number(w, i + 1);
        }
    else if (gdb_scan_word(s, "sThreadInfo"))
        gdb_put_text(w, "l");
    else if (gdb_scan_word(s, "ThreadExtraInfo,"))
        thread_info(d, s, w);
    else if (gdb_scan_word(s, "Attached"))
        gdb_put_text(w, "1");
    else if (*s->at == 'C' && gdb_scan_left(s) == 1) {
        gdb_put_text(w, "QC");
        gdb_put_number(w, d->thread + 1);
    }
}

static void choose_thread(struct debug *d, struct gdb_scan *s, struct gdb_writer *w)
{
    unsigned vcpu = d->thread;
    bool good = gdb_scan_word(s, "c") || gdb_scan_word(s, "g");

    if (good && !gdb_scan_word(s, "-1") && !(gdb_scan_left(s) == 1 && *s->at == '0'))
        good = gdb_answer_thread(d, s, &vcpu);
    d->thread = vcpu;
    gdb_put_result(w, good ? 0 : DEBUG_ARGUMENT);
}

void gdb_answer(struct debug *d, char kind, struct gdb_scan *s, struct gdb_writer *w)
{
    unsigned ignored;

    switch (kind) {
    case 'g':
    case 'G':
        all_registers(d, s, w, kind == 'G');
        break;
    case 'p':
    case 'P':
        one_register(d, s, w, kind == 'P');
        break;
    case 'm':
    case 'M':
        some_memory(d, s, w, kind == 'M');
        break;
    case 'Z':
    case 'z':
        point(d, s, w, kind == 'Z');
        break;
    case 'H':
        choose_thread(d, s, w);
        break;
    case 'T':
        gdb_put_result(w, gdb_answer_thread(d, s, &ignored) ? 0 : DEBUG_ARGUMENT);
        break;
    case 'q':
        query(d, s, w);
        break;
    default:
        break;
    }
}
