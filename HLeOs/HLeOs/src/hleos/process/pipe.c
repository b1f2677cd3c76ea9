/*
 * A pipe is a page and two positions in it; see pipe.h. Readers wait while it is empty and somebody
 * may still write; writers wait while it is full and somebody may still read. All waiters are woken
 * and check again: so a killed waiter cannot consume another's wake-up.
 */
#include "process/pipe.h"

#include "common/string.h"
#include "kmalloc.h"
#include "memory/page.h"

struct pipe {
    struct sync_mutex mutex;
    struct sync_condition readable, writable;
    phys_t page;
    uint64_t read, written;      /* mutex; totals: written - read bytes are in the page */
    bool has_reader, has_writer; /* mutex */
};

/* The most bytes that one memcpy can move: it must not cross the page's end. */
static size_t piece(uint64_t position, size_t there, size_t wanted)
{
    size_t to_end = PAGE_SIZE - position % PAGE_SIZE;

    there = there < to_end ? there : to_end;
    return there < wanted ? there : wanted;
}

static int64_t read_pipe(struct file *file, void *to, size_t size)
{
    struct pipe *p = file->object;
    char *page = page_virtual(p->page);
    size_t done = 0;
    bool good = true;

    sync_mutex_take(&p->mutex);
    while (good && p->read == p->written && p->has_writer)
        good = sync_condition_wait_interruptible(&p->readable, &p->mutex);
    while (good && done < size && p->read != p->written) {
        size_t some = piece(p->read, p->written - p->read, size - done);

        memcpy((char *)to + done, page + p->read % PAGE_SIZE, some);
        p->read += some;
        done += some;
    }
    sync_condition_broadcast(&p->writable);
    sync_mutex_give(&p->mutex);
    return good ? (int64_t)done : -1;
}

/* -1 if there is no reader. The bytes that a killed writer has written stay in the pipe. */
static int64_t write_pipe(struct file *file, const void *from, size_t size)
{
    struct pipe *p = file->object;
    char *page = page_virtual(p->page);
    size_t done = 0;
    bool good = true;

    sync_mutex_take(&p->mutex);
    while (good && done < size && p->has_reader) {
        size_t some = piece(p->written, PAGE_SIZE - (p->written - p->read), size - done);

        memcpy(page + p->written % PAGE_SIZE, (const char *)from + done, some);
        p->written += some;
        done += some;
        sync_condition_broadcast(&p->readable);
        if (some == 0)
            good = sync_condition_wait_interruptible(&p->writable, &p->mutex);
    }
    good = good && p->has_reader;
    sync_mutex_give(&p->mutex);
    return good ? (int64_t)done : -1;
}

static void stat_pipe(struct file *file, struct hleos_stat *stat)
{
    struct pipe *p = file->object;

    sync_mutex_take(&p->mutex);
    *stat = (struct hleos_stat){.type = HLEOS_PIPE_END, .size = p->written - p->read};
    sync_mutex_give(&p->mutex);
}

static void close_end(struct file *file)
{
    struct pipe *p = file->object;
    bool used;

    sync_mutex_take(&p->mutex);
    if (file->writable)
        p->has_writer = false;
    else
        p->has_reader = false;
    sync_condition_broadcast(&p->readable);
    sync_condition_broadcast(&p->writable);
    used = p->has_reader || p->has_writer;
    sync_mutex_give(&p->mutex);
    if (!used) {
        page_free(p->page);
        kfree(p);
    }
}

static const struct file_operations operations = {
    .read = read_pipe, .write = write_pipe, .stat = stat_pipe, .close = close_end, .stream = true};

bool pipe_create(struct file **ends)
{
    struct pipe *p = kmalloc(sizeof *p);

    if (p == NULL)
        return false;
    *p = (struct pipe){.page = page_allocate(), .has_reader = true, .has_writer = true};
    ends[0] = file_create(&operations, p, true, false);
    ends[1] = file_create(&operations, p, false, true);
    if (p->page.at != 0 && ends[0] != NULL && ends[1] != NULL)
        return true;
    kfree(ends[0]);
    kfree(ends[1]);
    if (p->page.at != 0)
        page_free(p->page);
    kfree(p);
    return false;
}
