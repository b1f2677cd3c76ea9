/* Starting, ending and waiting for processes; see process.h. */
#include "process.h"

#include "asm.h"
#include "common/fmt.h"
#include "common/string.h"
#include "cpu.h"
#include "fs/fs.h"
#include "interrupt/handler.h"
#include "kmalloc.h"
#include "memory/page.h"
#include "process/file.h"
#include "process/load.h"
#include "process/names.h"
#include "process/proc.h"
#include "process/terminal.h"

enum { PROGRAM_BYTES_MAX = 4 << 20, PATH_MAX = 128 };

void asm_enter_program(const struct interrupt_frame *frame) __attribute__((noreturn));

static struct sync_mutex tree;
static struct queue_list all; /* tree */
static unsigned count;        /* tree; of `all` */
static unsigned next_id = 1;  /* tree */
static struct process *init;  /* tree; the parent of orphans; NULL if it does not run */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Makes a process that is in no list yet and has no image and FPU state. */
static struct process *create(const char *name)
{
    struct process *process = kmalloc(sizeof *process);

    if (process == NULL)
        return NULL;
    memset(process, 0, offsetof(struct process, image));
    process->image.space.root = PHYS(0); /* nothing to destroy */
    string_copy(process->name, name, sizeof process->name);
    return process;
}

/* Frees a process from create() that never ran. */
static void discard(struct process *process)
{
    file_close_all(process->files);
    fs_release(process->directory);
    if (process->image.space.root.at != 0)
        space_destroy(&process->image.space);
    kfree(process);
}

static intptr_t begin(void *argument)
{
    struct process *process = argument;
    struct interrupt_frame frame = process->image.frame;

    thread_enter_space(&process->image.space, process);
    asm_fxrstor(process->fpu);
    asm_enter_program(&frame);
}

/* Starts a process. Returns its number, or -1. It may run at once; its end, or who kills it,
 * waits for the tree's mutex until this is done. */
static int launch(struct process *process, struct process *parent)
{
    int id = -1;

    sync_mutex_take(&tree);
    process->id = next_id;
    process->parent = parent;
    if (count < PROCESS_MAX)
        process->thread = thread_create(process->name, THREAD_PRIORITY_NORMAL, begin, process);
    if (process->thread != NULL) {
        id = (int)next_id++;
        queue_list_push(&all, &process->all);
        count++;
    }
    sync_mutex_give(&tree);
    return id;
}

static void forget_locked(struct process *process)
{
    queue_list_remove(&process->all);
    count--;
}

int process_start_file(const void *file, size_t size, int argc, const char *const *argv,
                       struct process **started)
{
    struct process *process = create(argc > 0 ? last_part(argv[0]) : "?");
    int error;

    if (process == NULL)
        return PROCESS_NO_MEMORY;
    memcpy(process->fpu, cpu_clean_fpu(), sizeof process->fpu);
    *started = process; /* it may run, and end, before launch() returns */
    error = load_image(&process->image, file, size, argc, argv);
    if (error == 0 && !terminal_open(process->files))
        error = PROCESS_NO_MEMORY;
    if (error == 0 && launch(process, NULL) < 0)
        error = PROCESS_NO_MEMORY;
    if (error != 0)
        discard(process);
    return error;
}

/* The path of the program of that name. */
static const char *path_of(const char *name, char *room)
{
    if (strchr(name, '/') != NULL)
        return name;
    fmt_snprint(room, PATH_MAX, "/bin/%s", name);
    return room;
}

int process_start(int argc, const char *const *argv, struct process **process)
{
    char room[PATH_MAX];
    struct names_bytes bytes;
    int error;

    if (argc < 1 || !names_load(NULL, path_of(argv[0], room), PROGRAM_BYTES_MAX, &bytes))
        return PROCESS_NO_SUCH;
    error = process_start_file(bytes.at, bytes.size, argc, argv, process);
    names_unload(&bytes);
    return error;
}

int process_wait(struct process *process)
{
    int status;

    thread_join(process->thread);
    sync_mutex_take(&tree);
    forget_locked(process);
    sync_mutex_give(&tree);
    status = process->status;
    kfree(process);
    return status;
}

int process_fork(const struct interrupt_frame *frame)
{
    struct process *me = thread_process(), *child = create(me->name);
    int id;

    if (child == NULL)
        return -1;
    child->image = me->image;
    child->image.space = (struct space){.pages = 0};
    child->image.frame = *frame;
    child->image.frame.rax = 0;
    asm_fxsave(child->fpu); /* the kernel has not changed the registers since the program ran */
    file_share_all(child->files, me->files);
    if (me->directory != NULL)
        child->directory = fs_hold(me->directory);
    if (!space_create(&child->image.space) || !space_fork(&child->image.space, &me->image.space) ||
        (id = launch(child, me)) < 0) {
        discard(child);
        return -1;
    }
    return id;
}

/* Keeps the old image until the new one is complete: after an error the program continues. */
int process_exec(const char *path, int argc, const char *const *argv, struct interrupt_frame *frame)
{
    struct process *me = thread_process();
    struct space old = me->image.space;
    struct process_image image;
    struct names_bytes bytes;
    int error;

    if (!names_load(me->directory, path, PROGRAM_BYTES_MAX, &bytes))
        return PROCESS_NO_SUCH;
    error = load_image(&image, bytes.at, bytes.size, argc, argv);
    names_unload(&bytes);
    if (error != 0)
        return error;
    me->image = image;
    thread_enter_space(&me->image.space, me);
    space_destroy(&old);
    thread_rename(last_part(path));
    sync_mutex_take(&tree);
    string_copy(me->name, last_part(path), sizeof me->name);
    sync_mutex_give(&tree);
    asm_fxrstor(cpu_clean_fpu());
    *frame = image.frame;
    return 0;
}

static struct process *find_child_locked(const struct process *parent, bool *any)
{
    struct process *ended = NULL;

    *any = false;
    for (struct queue_link *l = queue_list_first(&all); l && ended == NULL;
         l = queue_list_after(&all, l)) {
        struct process *p = queue_entry(l, struct process, all);

        if (p->parent == parent) {
            *any = true;
            ended = p->ended ? p : NULL;
        }
    }
    return ended;
}

int process_wait_child(uintptr_t status)
{
    struct process *me = thread_process(), *child;
    bool any, good = true;
    int id = -1;

    sync_mutex_take(&tree);
    while ((child = find_child_locked(me, &any)) == NULL && any && good)
        good = sync_condition_wait_interruptible(&me->child_ended, &tree);
    if (child != NULL && status != 0 &&
        !space_copy_out(&me->image.space, status, &child->status, sizeof child->status))
        child = NULL; /* it can be waited for again */
    if (child != NULL)
        forget_locked(child);
    sync_mutex_give(&tree);
    if (child != NULL) {
        id = (int)child->id;
        thread_join(child->thread); /* it is ending, or has ended */
        kfree(child);
    }
    return id;
}

/* Gives the children of a process that ends to init. Without init, frees those that have ended; the
 * others are freed when they end. */
static void abandon_children_locked(const struct process *parent)
{
    struct queue_link *next;

    for (struct queue_link *l = queue_list_first(&all); l; l = next) {
        struct process *p = queue_entry(l, struct process, all);

        next = queue_list_after(&all, l);
        if (p->parent != parent)
            continue;
        p->parent = init;
        if (init != NULL)
            continue;
        p->orphan = true;
        thread_detach(p->thread);
        if (p->ended) {
            forget_locked(p);
            kfree(p);
        }
    }
}

void process_exit(int status)
{
    struct process *me = thread_process();
    bool orphan;

    file_close_all(me->files);
    fs_release(me->directory);
    thread_enter_space(NULL, NULL);
    space_destroy(&me->image.space);
    sync_mutex_take(&tree);
    if (init == me)
        init = NULL;
    abandon_children_locked(me);
    if (init != NULL) /* one of them may have ended: wake init */
        sync_condition_broadcast(&init->child_ended);
    me->status = status;
    me->ended = true;
    orphan = me->orphan;
    if (orphan)
        forget_locked(me);
    else if (me->parent != NULL)
        sync_condition_broadcast(&me->parent->child_ended);
    sync_mutex_give(&tree); /* from here on the parent may free it */
    if (orphan)
        kfree(me);
    thread_exit(0);
}

static void __attribute__((noreturn)) end(uint64_t vector)
{
    process_exit(vector == HANDLER_INTERRUPTED ? HLEOS_STATUS_KILLED
                                               : HLEOS_STATUS_FAULT + (int)vector);
}

/* Kills the process of that number, or all if it is 0. Returns their count. */
static unsigned kill(unsigned id)
{
    unsigned killed = 0;

    sync_mutex_take(&tree);
    for (struct queue_link *l = queue_list_first(&all); l; l = queue_list_after(&all, l)) {
        struct process *p = queue_entry(l, struct process, all);

        if (p->ended || (id != 0 && p->id != id))
            continue;
        p->killed = true; /* before it wakes up */
        thread_interrupt(p->thread);
        killed++;
    }
    sync_mutex_give(&tree);
    return killed;
}

int process_kill(unsigned id)
{
    return id != 0 && kill(id) > 0 ? 0 : -1;
}

int process_wait_init(struct process *process)
{
    int status;

    sync_mutex_take(&tree);
    if (!process->ended)
        init = process;
    sync_mutex_give(&tree);
    status = process_wait(process);
    while (kill(0) > 0) /* repeated, as one of them may be in fork() */
        thread_sleep_ms(1);
    return status;
}

/* /proc/processes. Processes that the kernel has started have parent 0. */
static void print_all(struct fmt_sink *out)
{
    fmt_print(out, "   id parent     KB  state   name\n");
    sync_mutex_take(&tree);
    for (struct queue_link *l = queue_list_first(&all); l; l = queue_list_after(&all, l)) {
        const struct process *p = queue_entry(l, struct process, all);

        fmt_print(out, "%5u %6u %6zu  %-7s %s\n", p->id, p->parent != NULL ? p->parent->id : 0,
                  p->image.space.pages * (PAGE_SIZE / 1024), p->ended ? "ended" : "there", p->name);
    }
    sync_mutex_give(&tree);
}

unsigned process_count(void)
{
    return count;
}

void process_init(void)
{
    thread_attach_programs(end);
    proc_attach_processes(print_all);
}

const char *process_error_text(int error)
{
    static const char *const texts[] = {
        [-PROCESS_NO_SUCH] = "no such program",
        [-PROCESS_NO_MEMORY] = "no memory",
        [-PROCESS_NOT_ELF] = "not a statically linked ELF file for x86-64",
        [-PROCESS_BAD_SEGMENT] = "a segment is writable and executable, or a segment or the entry "
                                 "is outside the range for programs",
        [-PROCESS_ARGUMENTS] = "too many arguments, or too long ones",
    };

    return error < 0 && error >= PROCESS_ARGUMENTS ? texts[-error] : "no error";
}
