/* See terminal.h. All readers share one line: each key goes to the line, and the finished line to
 * the thread that reads first. */
#include "process/terminal.h"

#include "common/edit.h"
#include "common/string.h"
#include "iostream.h"
#include "vga.h"

enum { PROMPT_ROOM = 16 };

static struct sync_mutex mutex;
/* The mutex protects all of this. */
static struct edit_history history;
static struct edit_line line = {
    .width = VGA_COLUMNS - PROMPT_ROOM, .history = &history, .ascii = true};
static char typed[EDIT_SIZE]; /* a line with its end */
static size_t taken, length;  /* in `typed` */
static bool editing;

/* True when a line is complete (after Ctrl-C an empty one), or at the end of input. */
static bool key_locked(int key, bool *end)
{
    enum edit_result result;

    if (!editing)
        edit_begin(&line);
    result = edit_key(&line, key, iostream_sink());
    editing = result == EDIT_MORE;
    *end = result == EDIT_ENDED;
    if (editing)
        return false;
    if (!*end) {
        length = line.length;
        memcpy(typed, line.text, length);
        typed[length++] = '\n';
        taken = 0;
    }
    return true;
}

static int64_t read_terminal(struct file *file, void *to, size_t size)
{
    bool end = false;

    (void)file;
    sync_mutex_take(&mutex);
    while (taken == length && !end) {
        int key;

        sync_mutex_give(&mutex); /* so that others can wait for a key, and be killed */
        key = iostream_getch_interruptible();
        if (key < 0)
            return -1;
        sync_mutex_take(&mutex);
        key_locked(key, &end);
    }
    size = size < length - taken ? size : length - taken;
    memcpy(to, typed + taken, size);
    taken += size;
    sync_mutex_give(&mutex);
    return (int64_t)size;
}

static int64_t write_terminal(struct file *file, const void *from, size_t size)
{
    (void)file;
    iostream_write(from, size);
    return (int64_t)size;
}

static void stat_terminal(struct file *file, struct hleos_stat *stat)
{
    (void)file;
    *stat = (struct hleos_stat){.type = HLEOS_DEVICE, .links = 1};
}

static const struct file_operations operations = {
    .read = read_terminal, .write = write_terminal, .stat = stat_terminal, .stream = true};

struct file *terminal_file(bool readable, bool writable)
{
    return file_create(&operations, NULL, readable, writable);
}

bool terminal_open(struct file **files)
{
    files[0] = terminal_file(true, true);
    if (files[0] == NULL)
        return false;
    files[1] = file_share(files[0]);
    files[2] = file_share(files[0]);
    return true;
}
