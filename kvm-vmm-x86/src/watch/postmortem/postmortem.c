/* The line and the report page; see postmortem.h. */
#include "watch/postmortem/postmortem.h"

#include <stdio.h>
#include <string.h>

#include "console/console.h"
#include "vm/exits.h"
#include "watch/explain/guest_image.h"
#include "watch/postmortem/evidence.h"
#include "watch/record/exit_names.h"

/* Everything that is reported about one guest. */
struct account {
    bool explain; /* the page even if it did not crash */
    struct vm *vm;
    const struct vm_end *end;
    struct evidence evidence;
    struct diagnosis diagnosis;
    bool diagnosed;
    char line[900];
    char page[PAGE_TEXT]; /* empty: the line is enough */
};

/* The vector of an interrupt that was being delivered when the guest shut down. */
static int interrupt_of(const struct evidence *e)
{
    return e->shutdown && (e->snapshot.regs.rflags & RFLAGS_IF)
               ? interrupts_in_service(&e->interrupts)
               : -1;
}

static void add_limit(struct account *t, struct text *line, const struct symbols *names)
{
    const struct evidence *e = &t->evidence;
    char bytes[240];
    struct text stuck = text_in(bytes, sizeof bytes);

    if (e->halted) {
        text_add(line, "; halted at %s",
                 symbols_words(names, snapshot_linear_rip(&e->snapshot)).text);
        if (interrupts_describe_stuck(&stuck, &e->interrupts))
            text_add(line, ": %s", bytes);
        else
            text_add(line, ", waiting for an interrupt");
    } else if (e->loop.found) {
        text_add(line, "; endless loop of %zu instruction%s, hot address %s", e->loop.instructions,
                 e->loop.instructions == 1 ? "" : "s", symbols_words(names, e->loop.hot).text);
    }
}

static void make_line(struct account *t)
{
    struct text line = text_in(t->line, sizeof t->line);
    const struct evidence *e = &t->evidence;
    const struct symbols *names = guest_image_symbols(t->vm);
    const char *found = t->diagnosed ? t->diagnosis.line : "";

    if (e->shutdown && found[0] != '\0') {
        text_add(&line, "triple fault: %s, at %s", found,
                 symbols_words(names, snapshot_linear_rip(&e->snapshot)).text);
        return;
    }
    text_add(&line, "%s", t->end->message);
    if (found[0] != '\0')
        text_add(&line, ": %s", found);
    if (t->end->kind == END_LIMIT)
        add_limit(t, &line, names);
}

static void add_exits(struct page *page, struct account *t)
{
    struct vcpu *vcpu = t->evidence.vcpu;
    for (unsigned back = LAST_EXITS; back-- > 0;) {
        const struct past_exit *exit = vcpu_past_exit(vcpu, back);
        struct exit_record e;
        struct text row;
        char what[96];

        if (exit == NULL)
            continue;
        e = exit_record_of(exit);
        row = text_in(page->exits[page->exit_count++], PAGE_EXIT_TEXT);
        log_exit_describe(&t->vm->machine.bus, &e, what, sizeof what);
        text_add(&row, "%lu: %s, rip 0x%lx%s%s%s", vcpu->recorded - back, exits_name(e.reason),
                 e.rip, t->evidence.reset && back == 0 ? " (the reset CPU's)" : "",
                 what[0] != '\0' ? ", " : "", what);
    }
}

/* Prints line by line, so that the console colours each line and splits none. */
static void print_lines(unsigned guest, char *bytes)
{
    char *next;

    for (char *line = bytes; *line != '\0'; line = next) {
        next = strchr(line, '\n');
        next = next != NULL ? next : line + strlen(line);
        vcpu_printf(guest, "  | %.*s", (int)(next - line), line);
        next += *next == '\n';
    }
}

static void make_page(struct account *t)
{
    struct text text = text_in(t->page, sizeof t->page);
    struct page page = {.snapshot = &t->evidence.snapshot,
                        .general_only = t->evidence.general_only,
                        .wide = t->vm->mode == MODE_LONG || t->vm->mode == MODE_LINUX,
                        .symbols = guest_image_symbols(t->vm),
                        .no_symbols = guest_image_no_symbols(t->vm),
                        .diagnosis = t->diagnosed ? &t->diagnosis : NULL,
                        .loop = &t->evidence.loop,
                        .interrupts = &t->evidence.interrupts,
                        .how = t->evidence.how[0] != '\0' ? t->evidence.how : NULL};

    add_exits(&page, t);
    page_print(&text, &page);
}

/* The page is printed for a crash, and for a guest that a device stopped, even without --explain.
 * (A Linux kernel that panics has printed the reason itself.) */
static bool wants_page(const struct account *t)
{
    return t->explain || t->evidence.crashed ||
           (t->end->kind == END_CRASH && t->vm->mode < MODE_LINUX);
}

static void work(struct worker *worker)
{
    struct account *t = worker->context;

    evidence_take(&t->evidence, worker, t->vm, t->end);
    if (t->evidence.at_fault) {
        struct diagnose_hint hint = {interrupt_of(&t->evidence), t->evidence.replay.handling};

        t->diagnosis = diagnose_fault(&t->evidence.snapshot, hint);
        t->diagnosed = true;
    }
    make_line(t);
    if (wants_page(t))
        make_page(t);
}

void postmortem_print(struct vm *vm, const struct vm_end *end, bool explain)
{
    static struct account t;
    struct worker worker = {.work = work, .context = &t};

    t = (struct account){.vm = vm, .end = end, .explain = explain};
    if (vm->vcpus_made > 0 && vm_state(vm) != VM_CREATED) /* else it has not run since its reset */
        worker_run(&worker);
    if (t.line[0] == '\0') /* it could not restart after a reset, or there was no thread */
        snprintf(t.line, sizeof t.line, "%s", end->message);
    snprintf(vm->end.message, sizeof vm->end.message, "%.*s", (int)sizeof vm->end.message - 1,
             t.line); /* for the log */
    if (t.line[0] != '\0')
        vcpu_printf(vm->index, "kvm-vmm: guest %u (%s): %s", vm->index, vm->name, t.line);
    print_lines(vm->index, t.page);
    evidence_release(&t.evidence);
}
