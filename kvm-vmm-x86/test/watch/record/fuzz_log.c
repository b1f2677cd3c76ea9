/* Fuzzes the writer of the exit log: for any exits and any output, the trace is valid JSON. */
#include <stdlib.h>

#include "json_check.h"
#include "log_run_fake.h"

enum { TEXT_ROOM = 1 << 20 };

static struct fake_text written;

static void fill_from(struct fake_run *f, const uint8_t *bytes, size_t size)
{
    struct exit_record record;
    unsigned vcpu = 0;
    uint64_t time = 0;

    while (size > sizeof record && bytes[0] % 4 != 0) {
        memcpy(&record, bytes, sizeof record);
        record.write = bytes[0] & 1; /* a valid bool, and a valid space */
        record.space %= EXIT_MEMORY + 1;
        *log_ring_next(&f->guest->vcpus[vcpu++ % FAKE_VCPUS]->ring) = record;
        bytes += sizeof record;
        size -= sizeof record;
    }
    while (size > 0) {
        size_t part = size < 7 ? size : 7;

        time += (uint64_t)bytes[0] << 16;
        log_output_add(&f->guest->output, bytes, part, time);
        bytes += part;
        size -= part;
    }
}

static void write_log(const struct log_run *run)
{
    FILE *to = fake_text_open(&written);

    written.used = 0;
    if (to == NULL)
        abort();
    log_trace_write(to, run);
    if (fclose(to) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct fake_run f;
    char name[32] = "";

    if (written.bytes == NULL)
        written = (struct fake_text){.bytes = malloc(TEXT_ROOM), .room = TEXT_ROOM};
    if (size > 0)
        memcpy(name, bytes, size < sizeof name ? size : sizeof name - 1);
    if (fake_run_init(&f, name, name) < 0)
        abort();
    memcpy(f.guest->counters[0].name, name, sizeof name);
    f.guest->counter_count = f.guest->function_count = 1;
    fill_from(&f, bytes, size);
    write_log(&f.run);
    if (!json_is_good(written.bytes, written.used))
        abort();
    fake_run_destroy(&f);
    return 0;
}
