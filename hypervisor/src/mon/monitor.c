/* The monitor's commands, in one table; see monitor.h. */
#include "mon/monitor.h"

#include "common/string.h"
#include "cpu/cpu.h"
#include "host/interrupts.h"
#include "host/machine.h"
#include "host/power.h"
#include "lib/console.h"
#include "lib/number.h"
#include "mem/page.h"
#include "mon/timeline.h"
#include "vm/archive.h"
#include "vm/config.h"
#include "vm/life.h"
#include "vm/load.h"
#include "vm/make.h"
#include "vm/report.h"
#include "vm/save.h"
#include "vm/walk.h"

enum { LINE_SIZE = CONFIG_ARGS_SIZE + 256 };

static char line[LINE_SIZE];
static size_t used;
static uint32_t busy; /* an atomic: a command still writes, and prompts at its end */
static bool prompts_later;

/* The kind of argument that a command takes. */
enum takes { NOTHING, VM, VM_WORD, WORD, WORD_VM, TEXT };

struct command {
    const char *name, *arguments, *help;
    enum takes takes;
    void (*run)(struct vm *vm, const char *argument);
};

static const struct command commands[];

static const char *state_text(const struct vm *vm)
{
    static const char *const names[] = {"created",  "loading", "running", "paused",
                                        "stopping", "ended",   "gone"};

    return names[vm->state];
}

static void show_vms(struct vm *unused, const char *argument)
{
    (void)unused;
    (void)argument;
    for (unsigned i = 0; i < vm_count; i++) {
        const struct vm *vm = vms[i];

        if (vm->state == VM_GONE)
            continue;
        print("hv: %u %-15s %-8s %u vCPUs, %lu MiB, boots %lu, mapped %lu x 4K %lu x 2M %lu x 1G, "
              "%lu tables\n",
              i + 1, vm->config.name, state_text(vm), vm->vcpu_count, vm->ram_size / MIB, vm->boots,
              vm->stage.leaves[0], vm->stage.leaves[1], vm->stage.leaves[2], vm->stage.tables);
    }
    print("hv: %lu MiB free, %lu MiB of it not reserved\n", page_free_count() * PAGE_4K / MIB,
          page_unreserved_count() * PAGE_4K / MIB);
}

static void show_registers(struct vm *vm, const char *argument)
{
    (void)argument;
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        static const char *const states[] = {"stopped", "ready", "running", "blocked"};

        print("hv: vCPU %u, %s%s\n", i, states[vm->vcpus[i]->task.state],
              vm->vcpus[i]->task.cpu != NULL ? " (as of its last trap)" : "");
        report_registers(vm->vcpus[i]);
    }
}

static void walk(struct vm *vm, const char *argument)
{
    uint64_t gva;

    if (!number_parse(argument, &gva)) {
        print("hv: walk needs an address, such as 0x80200000\n");
        return;
    }
    lock_take(&vm->lock);
    if (vm_is_up(vm))
        walk_print(vm->vcpus[0], gva);
    else
        print("hv: %s is %s: it has no memory to walk\n", vm->config.name, state_text(vm));
    lock_drop(&vm->lock);
}

static void show_exits(struct vm *vm, const char *argument)
{
    uint64_t total = 0, mmio = 0, served;
    const char *controller = interrupts_count(&served);

    (void)argument;
    for (unsigned kind = 0; kind < EXIT_KINDS; kind++) {
        uint64_t n = 0;

        for (unsigned i = 0; i < vm->vcpu_count; i++)
            n += vm->vcpus[i]->exits[kind];
        total += n;
        if (n > 0)
            print("hv: %8lu %s%s\n", n, kind < 24 ? "" : "interrupt: ",
                  kind < 24 ? report_cause(kind) : report_interrupt((kind - 24) * 4 + 1));
    }
    for (unsigned i = 0; i < vm->vcpu_count; i++)
        mmio += vm->vcpus[i]->mmio_exits;
    print("hv: %8lu in all, %lu of them device registers\n", total, mmio);
    report_places(vm);
    print("hv: %8lu interrupts of the machine's devices, by %s\n", served, controller);
    for (unsigned i = 0; i < cpu_count; i++)
        print("hv: hart %lu has had interrupts off for %lu us at most\n", cpus[i].hartid,
              cpus[i].off_most * 1000000 / machine.timebase);
}

/* Counts the bytes of RAM that are mapped, and those of them shared with a clone or its source. */
static void count_memory(struct vm *vm, uint64_t *mapped, uint64_t *shared)
{
    const gpa_t end = vm->ram_base + vm->ram_size;
    struct gstage_leaf leaf;

    *mapped = *shared = 0;
    for (gpa_t at = vm->ram_base;; cpu_serve_interrupts()) {
        LOCK_FOR_BLOCK(&vm->lock);

        if (!vm_is_up(vm) || !gstage_next(&vm->stage, at, end, &leaf))
            return;
        *mapped += gstage_size(leaf.level);
        if (leaf.shared)
            *shared += PAGE_4K * page_shared_count((const void *)leaf.hpa, 9 * leaf.level);
        at = leaf.gpa + gstage_size(leaf.level);
    }
}

/* Prints the memory that the hypervisor uses for itself, and for each guest besides its RAM. */
static void show_memory(struct vm *vm, const char *argument)
{
    uint64_t image = (uint64_t)(moves_start - image_start + (image_end - moves_end));
    uint64_t table = page_table_bytes();
    uint64_t stacks = (cpu_count - 1) * (PAGE_4K << CPU_STACK_ORDER), archives = archive_bytes();
    uint64_t all = image + table + stacks + archives;

    (void)vm;
    (void)argument;
    print("hv: image %lu KiB, table of pages %lu KiB, stacks %lu KiB\n", image / KIB, table / KIB,
          stacks / KIB);
    print("hv: archives read from disks %lu KiB\n", archives / KIB);
    for (unsigned i = 0; i < vm_count; i++) {
        uint64_t mapped, shared;

        if (vms[i]->state == VM_GONE)
            continue;
        count_memory(vms[i], &mapped, &shared);
        print("hv: %u %-15s %lu KiB for itself, its vCPUs and its tables; RAM %lu KiB of its own, "
              "%lu KiB shared\n",
              i + 1, vms[i]->config.name, make_overhead(vms[i]) / KIB, (mapped - shared) / KIB,
              shared / KIB);
        all += make_overhead(vms[i]);
    }
    print("hv: %lu KiB in all, guests' RAM and disks apart\n", all / KIB);
}

static void say(bool good, const struct vm *vm)
{
    print("hv: %s is %s%s\n", vm->config.name, good ? "" : "not changed: it is ", state_text(vm));
}

static void do_pause(struct vm *vm, const char *argument)
{
    (void)argument;
    say(life_pause(vm), vm);
}

static void do_resume(struct vm *vm, const char *argument)
{
    (void)argument;
    say(life_resume(vm, LIFE_ALL), vm);
}

static void do_clone(struct vm *vm, const char *count)
{
    uint64_t n = 1;

    if (*count != '\0' && (!number_parse(count, &n) || n < 1 || n > VMS_MAX))
        print("hv: clone needs a number of clones, 1 to %u\n", VMS_MAX);
    else if (life_clone(vm, (unsigned)n, NULL))
        print("hv: %s is being cloned\n", vm->config.name);
}

/* Takes the first word off `*rest`. */
static const char *next_word(char **rest)
{
    char *word = *rest;

    while (*word == ' ')
        word++;
    for (*rest = word; **rest != '\0' && **rest != ' '; ++*rest)
        ;
    if (**rest == ' ')
        *(*rest)++ = '\0';
    return word;
}

static bool disk_number(const char *command, const char *word, uint64_t *number)
{
    if (number_parse(word, number) && *number < MACHINE_VIRTIO_MAX)
        return true;
    print("hv: %s needs the number of a virtio disk of the machine, such as 0\n", command);
    return false;
}

static void do_save(struct vm *vm, const char *disk)
{
    uint64_t number;

    if (disk_number("save", disk, &number) && save_begin(vm, (unsigned)number))
        print("hv: %s is being saved\n", vm->config.name);
}

/* Copies the text after a command's name, so that it can be split into words. */
static char *copied(const char *words)
{
    static char text[LINE_SIZE];

    string_copy(text, words, sizeof text);
    return text;
}

static void do_load(struct vm *unused, const char *words)
{
    char *rest = copied(words);
    const char *disk = next_word(&rest);
    uint64_t number;

    (void)unused;
    if (disk_number("load", disk, &number) && load_begin((unsigned)number, next_word(&rest)))
        print("hv: disk %lu is being read\n", number);
}

static void do_archive(struct vm *unused, const char *disk)
{
    uint64_t number;

    (void)unused;
    if (disk_number("archive", disk, &number) && archive_begin((unsigned)number))
        print("hv: disk %lu is being read\n", number);
}

static void do_create(struct vm *unused, const char *words)
{
    static struct vm_config config;
    static char text[LINE_SIZE + 3];
    struct config_error error;
    int length = fmt_snprint(text, sizeof text, "vm %s", words), count;

    (void)unused;
    count = config_parse(text, (size_t)length, &config, 1, &error);
    if (count < 0)
        print("hv: create: %s\n", error.text);
    else if (life_create(&config) != NULL)
        print("hv: %s is created\n", config.name);
}

static void do_start(struct vm *vm, const char *argument)
{
    (void)argument;
    if (life_start(vm))
        print("hv: %s is started\n", vm->config.name);
}

static void do_destroy(struct vm *vm, const char *argument)
{
    (void)argument;
    life_destroy(vm);
}

static void prompt(void)
{
    print("hv> ");
}

/* Called when a command that writes in the background has ended. */
static void free_again(void)
{
    if (__atomic_exchange_n(&busy, false, __ATOMIC_ACQ_REL))
        prompt();
}

static void dump_exits(unsigned count, int disk)
{
    __atomic_store_n(&busy, true, __ATOMIC_RELEASE);
    prompts_later = timeline_dump(count, disk, free_again);
    if (!prompts_later)
        __atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}

static void trace(struct vm *vm, const char *words)
{
    char *rest = copied(words);
    const char *word = next_word(&rest);
    uint64_t number = 200;

    (void)vm;
    if (strcmp(word, "on") == 0) {
        if (timeline_start())
            print("hv: exits are recorded from now on\n");
    } else if (strcmp(word, "off") == 0) {
        timeline_stop();
    } else if (strcmp(word, "disk") == 0) {
        if (disk_number("trace disk", next_word(&rest), &number))
            dump_exits(UINT32_MAX, (int)number);
    } else if (strcmp(word, "dump") == 0 ||
               (number_parse(word, &number) && number > 0 && number <= UINT32_MAX)) {
        dump_exits((unsigned)number, -1);
    } else {
        print("hv: trace needs on, off, dump, how many exits of each hart to dump, or disk N\n");
    }
}

static void do_reset(struct vm *vm, const char *argument)
{
    (void)argument;
    life_stop(vm, END_REBOOT);
}

static void do_stop(struct vm *vm, const char *argument)
{
    (void)argument;
    life_stop(vm, END_STOPPED);
}

static void do_kill(struct vm *vm, const char *argument)
{
    (void)argument;
    life_stop(vm, END_KILLED);
}

static void quit(struct vm *vm, const char *argument)
{
    (void)vm;
    (void)argument;
    power_off(false);
}

static void help(struct vm *vm, const char *argument)
{
    (void)vm;
    (void)argument;
    for (const struct command *c = commands; c->name != NULL; c++)
        print("hv: %-8s %-17s %s\n", c->name, c->arguments, c->help);
    print("hv: [vm] is a number or a name, without it the guest in front; an empty line leaves\n");
    print("hv: Ctrl-a 1..9 shows a guest, Ctrl-a n the next, Ctrl-a m or h this, Ctrl-a g gdb, "
          "Ctrl-a a is Ctrl-a\n");
}

static const struct command commands[] = {
    {"vms", "", "lists the guests", NOTHING, show_vms},
    {"regs", "[vm]", "shows registers", VM, show_registers},
    {"walk", "ADDRESS [vm]", "walks both stages of translation", WORD_VM, walk},
    {"exits", "[vm]", "counts exits from the guest, by reason", VM, show_exits},
    {"memory", "", "shows how much memory the hypervisor uses", NOTHING, show_memory},
    {"archive", "DISK", "reads more images from a disk of the machine", WORD, do_archive},
    {"create", "NAME KEY=VALUE...", "makes a guest from a manifest line", TEXT, do_create},
    {"start", "[vm]", "starts a guest that was created or has ended", VM, do_start},
    {"stop", "[vm]", "ends a guest; it may be started again", VM, do_stop},
    {"destroy", "[vm]", "stops a guest and removes it", VM, do_destroy},
    {"pause", "[vm]", "pauses a guest", VM, do_pause},
    {"resume", "[vm]", "continues a paused guest", VM, do_resume},
    {"clone", "[vm [N]]", "makes N copies of a guest as it is now", VM_WORD, do_clone},
    {"save", "DISK [vm]", "writes a guest as it is now to a disk of the machine", WORD_VM, do_save},
    {"load", "DISK [NAME]", "makes a guest from one that was saved there", TEXT, do_load},
    {"trace", "on|off|dump|N", "records exits; dumps 200, or N, as JSON; disk N: all", TEXT, trace},
    {"reset", "[vm]", "restarts a guest", VM, do_reset},
    {"kill", "[vm]", "ends a guest as one that failed", VM, do_kill},
    {"quit", "", "switches the machine off, with all guests", NOTHING, quit},
    {"help", "", "shows this", NOTHING, help},
    {NULL, NULL, NULL, NOTHING, NULL},
};

void monitor_open(bool with_help)
{
    used = 0;
    print("\n");
    if (with_help)
        help(NULL, NULL);
    prompt();
}

/* False for a VM that has been removed, or will be. */
static bool is_there(const struct vm *vm)
{
    return vm->state != VM_GONE && !vm->doomed;
}

static struct vm *find_vm(const char *word, struct vm *front)
{
    struct vm *vm = NULL;
    uint64_t number;

    if (*word == '\0')
        vm = front;
    else if (!number_parse(word, &number))
        vm = vm_named(word);
    else if (number >= 1 && number <= vm_count)
        vm = vms[number - 1];
    for (unsigned i = 0; i < vm_count && *word == '\0' && vm == NULL; i++)
        if (is_there(vms[i]))
            vm = vms[i];
    return vm != NULL && is_there(vm) ? vm : NULL;
}

static void execute(struct vm *front)
{
    char *rest = line;
    const char *name = next_word(&rest), *word = "", *guest = "";
    const struct command *c = commands;
    struct vm *vm = NULL;

    if (*name == '\0')
        return;
    while (c->name != NULL && strcmp(c->name, name) != 0)
        c++;
    if (c->name == NULL) {
        print("hv: no command '%s'; help lists them\n", name);
        return;
    }
    if (c->takes == WORD || c->takes == WORD_VM)
        word = next_word(&rest);
    if (c->takes == VM || c->takes == VM_WORD || c->takes == WORD_VM) {
        guest = next_word(&rest);
        vm = find_vm(guest, front);
        if (vm == NULL) {
            print("hv: no such guest\n");
            return;
        }
    }
    if (c->takes == VM_WORD)
        word = next_word(&rest);
    c->run(vm, c->takes == TEXT ? rest : word);
}

void monitor_close(void)
{
    if (__atomic_exchange_n(&busy, false, __ATOMIC_ACQ_REL))
        timeline_end();
}

bool monitor_input(uint8_t byte, struct vm *front)
{
    if (__atomic_load_n(&busy, __ATOMIC_ACQUIRE)) { /* typed input ends the command */
        timeline_end();
    } else if (byte == '\r' || byte == '\n') {
        print("\n");
        line[used] = '\0';
        if (used == 0)
            return false;
        used = 0;
        prompts_later = false;
        execute(front);
        if (!prompts_later)
            prompt();
    } else if ((byte == 8 || byte == 127) && used > 0) {
        used--;
        print("\b \b");
    } else if (byte >= ' ' && byte < 127 && used + 1 < sizeof line) {
        line[used++] = (char)byte;
        print("%c", byte);
    }
    return true;
}
