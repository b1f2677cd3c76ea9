/*
 * The system calls, by number: abi/hleos.h. A program's numbers and addresses may have any value:
 * each is checked before use, and sizes are bounded.
 */
#include "process/system_call.h"

#include "common/string.h"
#include "fs/fs.h"
#include "fs/system.h"
#include "interrupt/handler.h"
#include "kmalloc.h"
#include "memory/layout.h"
#include "memory/page.h"
#include "process.h"
#include "process/load.h"
#include "process/mapping.h"
#include "process/names.h"
#include "process/pipe.h"
#include "thread/stack.h"
#include "timer.h"

enum { CHUNK = 1024, PATH_MAX = 128 };

#define DATA_MAX     (UINT64_C(256) << 20)
#define TRANSFER_MAX (UINT64_C(1) << 30)

typedef int64_t call(struct process *process, struct interrupt_frame *frame);

static int64_t call_fork(struct process *process, struct interrupt_frame *frame)
{
    (void)process;
    return process_fork(frame);
}

static int64_t call_exit(struct process *process, struct interrupt_frame *frame)
{
    (void)process;
    process_exit(frame->rdi & 0xff);
}

static int64_t call_wait(struct process *process, struct interrupt_frame *frame)
{
    (void)process;
    return process_wait_child(frame->rdi);
}

static int64_t call_kill(struct process *process, struct interrupt_frame *frame)
{
    (void)process;
    return frame->rdi <= UINT32_MAX ? process_kill((unsigned)frame->rdi) : -1;
}

static int64_t call_getpid(struct process *process, struct interrupt_frame *frame)
{
    (void)frame;
    return process->id;
}

static int64_t call_sleep(struct process *process, struct interrupt_frame *frame)
{
    (void)process;
    if (frame->rdi > UINT32_MAX)
        return -1;
    return thread_sleep_interruptible(frame->rdi) ? 0 : -1;
}

static int64_t call_uptime(struct process *process, struct interrupt_frame *frame)
{
    (void)process;
    (void)frame;
    return (int64_t)(timer_now() / TIMER_NS_PER_MS);
}

/* Maps or frees the pages that the new end passes; all of them or none. */
static int64_t call_sbrk(struct process *process, struct interrupt_frame *frame)
{
    struct process_image *image = &process->image;
    int64_t change = (int64_t)frame->rdi;
    uintptr_t old = image->data_end, new = old + (uintptr_t)change, at;
    uintptr_t old_pages = (old + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1), new_pages;

    if (change > (int64_t)DATA_MAX || change < -(int64_t)DATA_MAX || new < image->data_begin ||
        new - image->data_begin > DATA_MAX)
        return -1;
    new_pages = (new + PAGE_SIZE - 1) & ~(uintptr_t)(PAGE_SIZE - 1);
    for (at = old_pages; at < new_pages; at += PAGE_SIZE)
        if (!space_map(&image->space, at, SPACE_WRITE))
            break;
    if (at < new_pages) {
        while (at > old_pages)
            space_unmap(&image->space, at -= PAGE_SIZE);
        return -1;
    }
    for (at = new_pages; at < old_pages; at += PAGE_SIZE)
        space_unmap(&image->space, at);
    image->data_end = new;
    return (int64_t)old;
}

/* Copies the words of a program's array of pointers into `text`, and sets pointers to them. Returns
 * their count, or -1. */
static int copy_words(const struct space *space, uintptr_t from, char *text,
                      const char *words[LOAD_ARGUMENTS_MAX])
{
    size_t used = 0;

    for (int i = 0; i <= LOAD_ARGUMENTS_MAX; i++) {
        uintptr_t word;
        long length;

        if (!space_copy_in(space, &word, from + (uintptr_t)i * sizeof word, sizeof word))
            return -1;
        if (word == 0)
            return i;
        if (i == LOAD_ARGUMENTS_MAX)
            return -1;
        length = space_copy_text(space, text + used, word, LOAD_ARGUMENT_BYTES - used);
        if (length < 0)
            return -1;
        words[i] = text + used;
        used += (size_t)length + 1;
    }
    return -1;
}

static int64_t call_exec(struct process *process, struct interrupt_frame *frame)
{
    const char *words[LOAD_ARGUMENTS_MAX];
    char path[PATH_MAX], *text;
    int count, error = -1;

    if (space_copy_text(&process->image.space, path, frame->rdi, sizeof path) < 0)
        return -1;
    text = kmalloc(LOAD_ARGUMENT_BYTES);
    if (text == NULL)
        return -1;
    count = copy_words(&process->image.space, frame->rsi, text, words);
    if (count >= 0)
        error = process_exec(path, count, words, frame);
    kfree(text);
    return error < 0 ? -1 : 0;
}

static struct file *file_at(const struct process *process, uint64_t number)
{
    return number < FILE_TABLE ? process->files[number] : NULL;
}

static int64_t call_read(struct process *process, struct interrupt_frame *frame)
{
    struct file *file = file_at(process, frame->rdi);
    size_t size = frame->rdx < TRANSFER_MAX ? frame->rdx : TRANSFER_MAX, done = 0, some;
    char chunk[CHUNK];
    int64_t got;

    if (file == NULL || !file->readable || file->operations->read == NULL)
        return -1;
    if (size == 0)
        return 0;
    do {
        some = size - done < CHUNK ? size - done : CHUNK;
        got = file->operations->read(file, chunk, some);
        if (got < 0)
            return done > 0 ? (int64_t)done : -1;
        if (!space_copy_out(&process->image.space, frame->rsi + done, chunk, (size_t)got))
            return -1;
        done += (size_t)got;
    } while ((size_t)got == some && done < size && !file->operations->stream &&
             !thread_interrupted());
    return (int64_t)done;
}

/* The bytes before a bad address are written. */
static int64_t call_write(struct process *process, struct interrupt_frame *frame)
{
    struct file *file = file_at(process, frame->rdi);
    size_t size = frame->rdx < TRANSFER_MAX ? frame->rdx : TRANSFER_MAX, done = 0;
    char chunk[CHUNK];

    if (file == NULL || !file->writable || file->operations->write == NULL)
        return -1;
    while (done < size && !thread_interrupted()) {
        size_t some = size - done < CHUNK ? size - done : CHUNK;
        int64_t got = -1;

        if (space_copy_in(&process->image.space, chunk, frame->rsi + done, some))
            got = file->operations->write(file, chunk, some);
        if (got < 0)
            return done > 0 ? (int64_t)done : -1;
        done += (size_t)got;
        if ((size_t)got < some)
            break;
    }
    return (int64_t)done;
}

static int64_t call_open(struct process *process, struct interrupt_frame *frame)
{
    char path[PATH_MAX];
    struct file *file;
    int number;

    if (space_copy_text(&process->image.space, path, frame->rdi, sizeof path) < 0)
        return -1;
    file = names_open(process->directory, path, (unsigned)frame->rsi);
    if (file == NULL)
        return -1;
    number = file_number(process->files, file);
    if (number < 0)
        file_close(file);
    return number;
}

static int64_t call_close(struct process *process, struct interrupt_frame *frame)
{
    struct file *file = file_at(process, frame->rdi);

    if (file == NULL)
        return -1;
    process->files[frame->rdi] = NULL;
    file_close(file);
    return 0;
}

static int64_t call_dup(struct process *process, struct interrupt_frame *frame)
{
    struct file *file = file_at(process, frame->rdi);
    int number = file != NULL ? file_number(process->files, file) : -1;

    if (number >= 0)
        file_share(file);
    return number;
}

static int64_t call_fstat(struct process *process, struct interrupt_frame *frame)
{
    struct file *file = file_at(process, frame->rdi);
    struct hleos_stat stat;

    if (file == NULL)
        return -1;
    file->operations->stat(file, &stat);
    return space_copy_out(&process->image.space, frame->rsi, &stat, sizeof stat) ? 0 : -1;
}

static int64_t call_pipe(struct process *process, struct interrupt_frame *frame)
{
    struct file *ends[2];
    int numbers[2];

    if (!pipe_create(ends))
        return -1;
    numbers[0] = file_number(process->files, ends[0]);
    numbers[1] = file_number(process->files, ends[1]);
    if (numbers[1] >= 0 &&
        space_copy_out(&process->image.space, frame->rdi, numbers, sizeof numbers))
        return 0;
    for (int i = 0; i < 2; i++) {
        if (numbers[i] >= 0)
            process->files[numbers[i]] = NULL;
        file_close(ends[i]);
    }
    return -1;
}

/* The position may be behind the end. */
static int64_t call_lseek(struct process *process, struct interrupt_frame *frame)
{
    struct file *file = file_at(process, frame->rdi);
    int64_t change = (int64_t)frame->rsi, place = -1, base = 0;
    struct hleos_stat stat;

    if (file == NULL || !file->operations->seekable || frame->rdx > HLEOS_SEEK_END)
        return -1;
    file->operations->stat(file, &stat);
    sync_mutex_take(&file->mutex);
    if (frame->rdx != HLEOS_SEEK_SET)
        base = (int64_t)(frame->rdx == HLEOS_SEEK_CURRENT ? file->offset : stat.size);
    if (!__builtin_add_overflow(base, change, &place) && place >= 0)
        file->offset = (uint64_t)place;
    else
        place = -1;
    sync_mutex_give(&file->mutex);
    return place;
}

static int64_t call_fsync(struct process *process, struct interrupt_frame *frame)
{
    struct file *file = file_at(process, frame->rdi);

    if (file == NULL || file->operations->sync == NULL)
        return -1;
    return file->operations->sync(file);
}

static int64_t call_chdir(struct process *process, struct interrupt_frame *frame)
{
    char path[PATH_MAX];
    struct inode *directory;

    if (space_copy_text(&process->image.space, path, frame->rdi, sizeof path) < 0 ||
        !names_directory(process->directory, path, &directory))
        return -1;
    fs_release(process->directory);
    process->directory = directory;
    return 0;
}

static int64_t call_mkdir(struct process *process, struct interrupt_frame *frame)
{
    char path[PATH_MAX];

    if (space_copy_text(&process->image.space, path, frame->rdi, sizeof path) < 0)
        return -1;
    return names_make_directory(process->directory, path);
}

static int64_t call_unlink(struct process *process, struct interrupt_frame *frame)
{
    char path[PATH_MAX];

    if (space_copy_text(&process->image.space, path, frame->rdi, sizeof path) < 0)
        return -1;
    return names_unlink(process->directory, path);
}

static int64_t call_link(struct process *process, struct interrupt_frame *frame)
{
    char old[PATH_MAX], new[PATH_MAX];

    if (space_copy_text(&process->image.space, old, frame->rdi, sizeof old) < 0 ||
        space_copy_text(&process->image.space, new, frame->rsi, sizeof new) < 0)
        return -1;
    return names_link(process->directory, old, new);
}

static int64_t call_mknod(struct process *process, struct interrupt_frame *frame)
{
    char path[PATH_MAX];

    if (space_copy_text(&process->image.space, path, frame->rdi, sizeof path) < 0)
        return -1;
    return names_make_device(process->directory, path, frame->rsi);
}

static int64_t call_mmap(struct process *process, struct interrupt_frame *frame)
{
    const struct file *file = file_at(process, frame->rsi);

    if (file == NULL && frame->rsi != (uint64_t)-1)
        return -1;
    return mapping_create(&process->image, frame->rdi, file, frame->rdx);
}

static int64_t call_munmap(struct process *process, struct interrupt_frame *frame)
{
    return mapping_remove(&process->image, frame->rdi, frame->rsi);
}

static int64_t call_system(struct process *process, struct interrupt_frame *frame)
{
    struct page_stats pages = page_stats();
    /* Pages that the heap and the stacks keep count as free, so that they do not look like
     * leaks. */
    struct hleos_system info = {.pages_free = pages.free + stack_pages_kept() +
                                              kmalloc_stats().bytes_mapped / PAGE_SIZE,
                                .pages_usable = pages.usable,
                                .switches = thread_switch_count(),
                                .heap_bytes = kmalloc_stats().bytes_used,
                                .processes = process_count()};

    if (system_fs() != NULL)
        info.blocks_free = fs_stats(system_fs()).free_blocks;
    return space_copy_out(&process->image.space, frame->rdi, &info, sizeof info) ? 0 : -1;
}

static call *const calls[] = {
    [HLEOS_FORK] = call_fork,     [HLEOS_EXIT] = call_exit,     [HLEOS_WAIT] = call_wait,
    [HLEOS_PIPE] = call_pipe,     [HLEOS_READ] = call_read,     [HLEOS_KILL] = call_kill,
    [HLEOS_EXEC] = call_exec,     [HLEOS_FSTAT] = call_fstat,   [HLEOS_DUP] = call_dup,
    [HLEOS_GETPID] = call_getpid, [HLEOS_SBRK] = call_sbrk,     [HLEOS_SLEEP] = call_sleep,
    [HLEOS_UPTIME] = call_uptime, [HLEOS_OPEN] = call_open,     [HLEOS_WRITE] = call_write,
    [HLEOS_CHDIR] = call_chdir,   [HLEOS_UNLINK] = call_unlink, [HLEOS_LINK] = call_link,
    [HLEOS_MKDIR] = call_mkdir,   [HLEOS_LSEEK] = call_lseek,   [HLEOS_FSYNC] = call_fsync,
    [HLEOS_MKNOD] = call_mknod,   [HLEOS_MMAP] = call_mmap,     [HLEOS_MUNMAP] = call_munmap,
    [HLEOS_CLOSE] = call_close,   [HLEOS_SYSTEM] = call_system,
};

static void system_call(struct interrupt_frame *frame)
{
    uint64_t number = frame->rax;
    call *function = number < sizeof calls / sizeof calls[0] ? calls[number] : NULL;

    struct process *process = thread_process();

    frame->rax = function != NULL ? (uint64_t)function(process, frame) : (uint64_t)-1;
    if (__atomic_load_n(&process->killed, __ATOMIC_RELAXED))
        process_exit(HLEOS_STATUS_KILLED);
}

static bool write_fault(uintptr_t address)
{
    struct process *process = thread_process();

    return process != NULL && space_unshare(&process->image.space, address);
}

void system_call_init(void)
{
    static const struct handler_programs ours = {.system_call = system_call,
                                                 .write_fault = write_fault};

    handler_attach_programs(&ours);
}
