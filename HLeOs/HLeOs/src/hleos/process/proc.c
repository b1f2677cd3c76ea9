/* See proc.h. The functions that print the files come first, then the table of the files. */
#include "process/proc.h"

#include "common/fmt.h"
#include "common/string.h"
#include "cpu.h"
#include "cpu/boot.h"
#include "cpu/lock.h"
#include "interrupt.h"
#include "iostream.h"
#include "kmalloc.h"
#include "memory/page.h"
#include "thread.h"

static void (*print_processes)(struct fmt_sink *out);

void proc_attach_processes(void (*print)(struct fmt_sink *out))
{
    print_processes = print;
}

static void processes(struct fmt_sink *out)
{
    print_processes(out);
}

static void threads(struct fmt_sink *out)
{
    struct thread_info t;

    fmt_print(out, "  id  name             prio  state      switches  ms on the cpu\n");
    for (unsigned i = 0; thread_info(i, &t); i++)
        fmt_print(out, "%4u  %-15s  %4d  %-8s  %9lu  %13lu\n", t.id, t.name, t.priority, t.state,
                  t.switches, t.ticks);
}

static void processors(struct fmt_sink *out)
{
    for (unsigned i = 0; i < cpu_count(); i++)
        fmt_print(out, "  cpu %-2u  APIC %-3u  %s\n", i, cpu_at(i)->apic_id,
                  i == CPU_READ(id) ? "runs this" : "");
}

/* Prints the locks for which a processor has waited. */
static void locks(struct fmt_sink *out)
{
    for (const struct lock *l = lock_contended(NULL); l != NULL; l = lock_contended(l))
        fmt_print(out, "  lock %-8s  rank %-2u  taken %lu times, waited for %lu times\n", l->name,
                  l->rank, l->takes, l->waits);
}

static void memory(struct fmt_sink *out)
{
    static const char *const types[] = {"?", "usable", "reserved", "ACPI", "ACPI NVS", "bad"};
    const struct boot_info *info = boot_information();
    struct page_stats pages = page_stats();
    struct kmalloc_stats heap = kmalloc_stats();

    for (unsigned i = 0; i < info->memory_count; i++) {
        const struct boot_memory *m = &info->memory[i];

        fmt_print(out, "  %012lx-%012lx  %s\n", m->base, m->base + m->length - 1,
                  types[m->type < sizeof types / sizeof types[0] ? m->type : 0]);
    }
    fmt_print(out, "pages: %zu of %zu free (%zu MB)\n", pages.free, pages.usable, pages.free >> 8);
    fmt_print(out, "heap: %zu blocks, %zu bytes used of %zu mapped, most ever %zu\n", heap.blocks,
              heap.bytes_used, heap.bytes_mapped, heap.bytes_peak);
    fmt_print(out, "      %lu allocations, %lu frees, %lu failures\n", heap.allocations, heap.frees,
              heap.failures);
}

static void interrupts(struct fmt_sink *out)
{
    fmt_print(out, "%s\n", interrupt_controller()->name);
    for (unsigned v = 0; v < INTERRUPT_VECTORS; v++) {
        struct interrupt_stats s = interrupt_stats(v);

        if (s.name != NULL || s.count > 0)
            fmt_print(out, "  %02x  %10lu  %s\n", v, s.count,
                      s.name != NULL             ? s.name
                      : v < INTERRUPT_EXCEPTIONS ? "exception"
                                                 : "unused");
    }
    fmt_print(out, "  spurious: %lu\n", interrupt_spurious_count());
}

struct view {
    const char *name;
    void (*write)(struct fmt_sink *out);
};

static const struct view views[] = {
    {"processes", processes}, {"threads", threads}, {"processors", processors},
    {"locks", locks},         {"memory", memory},   {"interrupts", interrupts},
};
enum { VIEWS = sizeof views / sizeof views[0] };

struct snapshot {
    struct fmt_sink sink; /* first */
    size_t room, size;    /* if `size` is more than `room`, the text did not fit */
    uint32_t inode;
    char text[];
};

static void collect(struct fmt_sink *sink, const char *text, size_t length)
{
    struct snapshot *s = (struct snapshot *)sink;

    size_t left = s->size < s->room ? s->room - s->size : 0;

    memcpy(s->text + s->size, text, length < left ? length : left);
    s->size += length;
}

/* Prints twice: first to get the length. The text may grow by a few lines in between. */
static struct snapshot *take(size_t index)
{
    enum { MORE = 1024 };
    struct snapshot count = {.sink = {collect}}, *s;

    views[index].write(&count.sink);
    s = kmalloc(sizeof *s + count.size + MORE);
    if (s == NULL)
        return NULL;
    *s = (struct snapshot){.sink = {collect}, .room = count.size + MORE};
    views[index].write(&s->sink);
    if (s->size > s->room)
        s->size = s->room;
    return s;
}

static int64_t read_snapshot(struct file *file, void *to, size_t size)
{
    const struct snapshot *s = file->object;
    size_t left;

    sync_mutex_take(&file->mutex);
    left = file->offset < s->size ? s->size - file->offset : 0;
    size = size < left ? size : left;
    memcpy(to, s->text + file->offset, size);
    file->offset += size;
    sync_mutex_give(&file->mutex);
    return (int64_t)size;
}

static void stat_snapshot(struct file *file, struct hleos_stat *stat)
{
    const struct snapshot *s = file->object;

    *stat = (struct hleos_stat){.type = HLEOS_FILE, .links = 1, .inode = s->inode, .size = s->size};
}

static void close_snapshot(struct file *file)
{
    kfree(file->object);
}

const char *proc_name(size_t index)
{
    return index < VIEWS ? views[index].name : NULL;
}

struct file *proc_open(size_t index, uint32_t inode)
{
    static const struct file_operations operations = {
        .read = read_snapshot, .stat = stat_snapshot, .close = close_snapshot, .seekable = true};
    struct snapshot *s = take(index);
    struct file *file = s != NULL ? file_create(&operations, s, true, false) : NULL;

    if (file == NULL)
        kfree(s);
    else
        s->inode = inode;
    return file;
}

void proc_show(const char *name)
{
    for (size_t i = 0; i < VIEWS; i++) {
        struct snapshot *s;

        if (strcmp(views[i].name, name) != 0)
            continue;
        s = take(i);
        if (s != NULL)
            iostream_write(s->text, s->size); /* in one piece */
        else
            views[i].write(iostream_sink());
        kfree(s);
    }
}
