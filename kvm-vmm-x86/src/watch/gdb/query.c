/* General queries: what this stub can do, the description, the list of threads, monitor commands
 * (GDB manual, E.4 "General Query Packets"). */
#include <errno.h>
#include <string.h>

#include "watch/gdb/commands.h"
#include "watch/gdb/description.h"

/* Output of a monitor command: as much as is sensible on a terminal. */
enum { MONITOR_MAX = 32 * 1024, MONITOR_LINE_MAX = 256, MONITOR_CHUNK = 4096 };

static void on_supported(struct gdb_stub *stub, struct gdb_scan *scan)
{
    stub->knows_swbreak = memmem(scan->at, gdb_scan_left(scan), "swbreak+", 8) != NULL;
    stub->knows_hwbreak = memmem(scan->at, gdb_scan_left(scan), "hwbreak+", 8) != NULL;
    gdb_put_text(&stub->reply, "PacketSize=");
    gdb_put_number(&stub->reply, GDB_PACKET_MAX);
    gdb_put_text(&stub->reply, ";qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;"
                               "hwbreak+");
}

static void on_description(struct gdb_stub *stub, struct gdb_scan *scan)
{
    static char bytes[GDB_DESCRIPTION_MAX];
    struct text text = text_in(bytes, sizeof bytes);
    uint64_t offset, length;
    size_t left;

    if (!gdb_scan_number(scan, &offset) || !gdb_scan_word(scan, ",") ||
        !gdb_scan_number(scan, &length)) {
        gdb_reply_error(stub, EINVAL);
        return;
    }
    gdb_describe(&text, stub->arch);
    if (offset > text.length)
        offset = text.length;
    left = text.length - offset;
    if (length > GDB_PACKET_MAX / 2) /* every byte may have to be escaped */
        length = GDB_PACKET_MAX / 2;
    gdb_put_text(&stub->reply, left > length ? "m" : "l");
    gdb_put_binary(&stub->reply, bytes + offset, left > length ? length : left);
}

static void on_threads(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    for (unsigned i = 0; i < stub->ops->cpus(stub->context); i++) {
        gdb_put_text(&stub->reply, i == 0 ? "m" : ",");
        gdb_put_number(&stub->reply, i + 1);
    }
}

static void on_no_more_threads(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "l");
}

static void on_thread_extra(struct gdb_stub *stub, struct gdb_scan *scan)
{
    char bytes[160];
    struct text text = text_in(bytes, sizeof bytes);
    uint64_t thread;

    if (!gdb_scan_number(scan, &thread) || thread == 0 || thread > stub->ops->cpus(stub->context)) {
        gdb_reply_error(stub, ESRCH);
        return;
    }
    stub->ops->describe_cpu(stub->context, (unsigned)thread - 1, &text);
    gdb_put_hex(&stub->reply, bytes, text.length);
}

static void on_current_thread(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "QC");
    gdb_put_number(&stub->reply, stub->general + 1);
}

/* We were there before the debugger: it detaches when it quits. */
static void on_attached(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "1");
}

static void on_symbol(struct gdb_stub *stub, struct gdb_scan *scan)
{
    (void)scan;
    gdb_put_text(&stub->reply, "OK"); /* we ask for none */
}

static void on_monitor(struct gdb_stub *stub, struct gdb_scan *scan)
{
    static char bytes[MONITOR_MAX];
    struct text text = text_in(bytes, sizeof bytes);
    char line[MONITOR_LINE_MAX] = "";
    size_t length = gdb_scan_left(scan) / 2;

    if (length >= sizeof line || !gdb_scan_hex(scan, line, length)) {
        gdb_reply_error(stub, EINVAL);
        return;
    }
    gdb_monitor(stub, line, &text);
    for (size_t at = 0; at < text.length; at += MONITOR_CHUNK) {
        size_t left = text.length - at;

        gdb_put_text(&stub->reply, "O");
        gdb_put_hex(&stub->reply, bytes + at, left < MONITOR_CHUNK ? left : MONITOR_CHUNK);
        gdb_send(stub);
        gdb_begin(&stub->reply);
    }
    gdb_put_text(&stub->reply, "OK");
}

struct query {
    const char *name;
    void (*handle)(struct gdb_stub *, struct gdb_scan *);
};

static const struct query queries[] = {
    {"Supported", on_supported},
    {"Xfer:features:read:target.xml:", on_description},
    {"fThreadInfo", on_threads},
    {"sThreadInfo", on_no_more_threads},
    {"ThreadExtraInfo,", on_thread_extra},
    {"Attached", on_attached},
    {"Symbol:", on_symbol},
    {"Rcmd,", on_monitor},
};

void gdb_on_query(struct gdb_stub *stub, struct gdb_scan *scan)
{
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        if (gdb_scan_word(scan, queries[i].name)) {
            queries[i].handle(stub, scan);
            return;
        }
    }
    if (gdb_scan_word(scan, "C") && gdb_scan_left(scan) == 0)
        on_current_thread(stub, scan);
}

void gdb_on_set(struct gdb_stub *stub, struct gdb_scan *scan)
{
    if (!gdb_scan_word(scan, "StartNoAckMode"))
        return;
    stub->next_no_ack = true; /* from the next packet on */
    gdb_put_text(&stub->reply, "OK");
}
