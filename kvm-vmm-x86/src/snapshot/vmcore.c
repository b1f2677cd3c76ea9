/* Core files of snapshots; see vmcore.h. */
#include "snapshot/vmcore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/elf.h"
#include "watch/explain/walk.h"

enum { NOTE_PRSTATUS = 1, LOADS_MAX = 60000, WALKS_LEAST = 16384, WALKS_A_PAGE = 16 };

/* Linux, include/uapi/linux/elfcore.h, for x86-64 and i386. Fields left zero describe a process,
 * not a vCPU. */
struct prstatus64 {
    uint8_t before[32];
    uint32_t pid;
    uint8_t between[76];
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip,
        cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
    uint64_t fpvalid;
};
struct prstatus32 {
    uint8_t before[24];
    uint32_t pid;
    uint8_t between[44];
    uint32_t ebx, ecx, edx, esi, edi, ebp, eax, ds, es, fs, gs, orig_eax, eip, cs, eflags, esp, ss;
    uint32_t fpvalid;
};
struct note {
    uint32_t name_size, size, type;
    char name[12];
};
_Static_assert(sizeof(struct prstatus64) == 336, "elfcore.h, x86-64");
_Static_assert(sizeof(struct prstatus32) == 144, "elfcore.h, i386");
_Static_assert(sizeof(struct note) == 24, "System V ABI, figure 5-3");

/* A range of memory that is mapped at a guest virtual address. */
struct load {
    gva_t at;
    gpa_t gpa;
    uint64_t size;
};

struct core {
    const struct snapshot_still *still;
    bool wide; /* 64 bits */
    FILE *file;
    uint8_t *notes;
    size_t notes_size;
    struct load *loads;
    unsigned load_count;
    uint64_t ram; /* where memory begins in the file */
};

/* ---- Mapped memory -------------------------------------------------------------------- */

/* Adds a range, or extends the last one if it continues both addresses. False: too many. */
static bool add_load(struct core *c, gva_t at, gpa_t gpa, uint64_t size)
{
    struct load *last = c->load_count > 0 ? &c->loads[c->load_count - 1] : NULL;

    if (last != NULL && last->at + last->size == at && last->gpa + last->size == gpa) {
        last->size += size;
        return true;
    }
    if (c->load_count == LOADS_MAX)
        return false;
    c->loads[c->load_count++] = (struct load){.at = at, .gpa = gpa, .size = size};
    return true;
}

/* The size that a walk covers: the page that it found, or the range of the entry that stopped it.
 */
static uint64_t span_of(const struct walk *w)
{
    static const unsigned bits[][WALK_STEPS_MAX + 1] = {[WALK_32BIT] = {32, 22, 12},
                                                        [WALK_PAE] = {32, 30, 21, 12},
                                                        [WALK_4LEVEL] = {48, 39, 30, 21, 12},
                                                        [WALK_5LEVEL] = {57, 48, 39, 30, 21, 12}};

    return w->mapped ? w->page_size : UINT64_C(1) << bits[w->paging][w->count];
}

/* Adds a page, without the parts that are not RAM, as at the end of a large page. */
static bool add_page(struct core *c, const struct walk *w, gva_t at, uint64_t size)
{
    const struct memory_slot *slot = memory_slot_at(&c->still->memory, w->gpa);

    if (slot == NULL)
        return true;
    if (size > slot->base + slot->size - w->gpa)
        size = slot->base + slot->size - w->gpa;
    return add_load(c, at, w->gpa, size);
}

/* The lowest kernel address. */
static gva_t high_half(const struct snapshot *s)
{
    switch (walk_paging(s)) {
    case WALK_4LEVEL:
        return UINT64_C(0xffff800000000000);
    case WALK_5LEVEL:
        return UINT64_C(0xff00000000000000);
    default:
        return 0;
    }
}

/* Adds all memory that a vCPU has mapped. For Linux it adds only the kernel's half, since readers
 * of its dumps expect the first header to be the map of all memory, which is first in that half.
 * Page tables with cycles map a page again and again, so the number of pages in memory is the
 * limit. */
static bool add_mapped(struct core *c)
{
    const struct snapshot *s = snapshot_still_view(c->still);
    gva_t last = high_half(s) == 0 ? UINT32_MAX : UINT64_MAX;
    gva_t at = c->still->linux_notes != NULL ? high_half(s) : 0;
    uint64_t limit = WALKS_LEAST + memory_end(s->memory) / PAGE_SIZE * WALKS_A_PAGE;

    for (uint64_t walks = 0; walks < limit; walks++) {
        struct walk w;
        uint64_t span;

        if (!snapshot_is_canonical(s, at))
            at = high_half(s);
        w = walk_as(s, at, WALK_READ, false);
        span = span_of(&w) - at % span_of(&w);
        if (w.mapped && !add_page(c, &w, at, span))
            return false;
        if (last - at < span)
            return true;
        at += span;
    }
    return false;
}

static bool is_covered(const struct core *c, const struct memory_slot *slot)
{
    for (unsigned i = 0; i < c->load_count; i++)
        if (c->loads[i].gpa <= slot->base &&
            c->loads[i].gpa + c->loads[i].size >= slot->base + slot->size)
            return true;
    return false;
}

/* gdb uses the first header with a virtual address; crash uses physical addresses, and needs all
 * memory. */
static int find_loads(struct core *c, struct error *error)
{
    const struct memory *memory = &c->still->memory;

    c->loads = malloc((LOADS_MAX + MEMORY_SLOTS_MAX) * sizeof *c->loads);
    if (c->loads == NULL)
        return error_set(error, "out of memory");
    if (walk_paging(snapshot_still_view(c->still)) != WALK_OFF && !add_mapped(c))
        fprintf(stderr, "kvm-vmm snapshot: the page tables map more ranges than a core file can "
                        "hold: the rest is there at its physical address only\n");
    for (unsigned i = 0; i < memory->count; i++) {
        const struct memory_slot *slot = &memory->slots[i];

        if (!is_covered(c, slot))
            c->loads[c->load_count++] =
                (struct load){.at = slot->base, .gpa = slot->base, .size = slot->size};
    }
    return 0;
}

/* ---- Notes ------------------------------------------------------------------------------------
 */

/* Name and contents of a note are padded to 4 bytes. */
static void add_note(struct core *c, const char *name, uint32_t type, const void *bytes,
                     size_t size)
{
    struct note head = {
        .name_size = (uint32_t)strlen(name) + 1, .size = (uint32_t)size, .type = type};
    size_t name_room = (head.name_size + 3) / 4 * 4, head_size = offsetof(struct note, name);

    memcpy(head.name, name, head.name_size);
    memcpy(c->notes + c->notes_size, &head, head_size + name_room);
    memcpy(c->notes + c->notes_size + head_size + name_room, bytes, size);
    c->notes_size += head_size + name_room + (size + 3) / 4 * 4;
}

static void add_wide(struct core *c, uint32_t id, const struct snapshot *s)
{
    const struct kvm_regs *r = &s->regs;
    const struct kvm_sregs *q = &s->sregs;
    struct prstatus64 p = {.pid = id,
                           .r15 = r->r15,
                           .r14 = r->r14,
                           .r13 = r->r13,
                           .r12 = r->r12,
                           .rbp = r->rbp,
                           .rbx = r->rbx,
                           .r11 = r->r11,
                           .r10 = r->r10,
                           .r9 = r->r9,
                           .r8 = r->r8,
                           .rax = r->rax,
                           .rcx = r->rcx,
                           .rdx = r->rdx,
                           .rsi = r->rsi,
                           .rdi = r->rdi,
                           .orig_rax = ~0ul,
                           .rip = r->rip,
                           .cs = q->cs.selector,
                           .eflags = r->rflags,
                           .rsp = r->rsp,
                           .ss = q->ss.selector,
                           .fs_base = q->fs.base,
                           .gs_base = q->gs.base,
                           .ds = q->ds.selector,
                           .es = q->es.selector,
                           .fs = q->fs.selector,
                           .gs = q->gs.selector};

    add_note(c, "CORE", NOTE_PRSTATUS, &p, sizeof p);
}

static void add_narrow(struct core *c, uint32_t id, const struct snapshot *s)
{
    const struct kvm_regs *r = &s->regs;
    const struct kvm_sregs *q = &s->sregs;
    struct prstatus32 p = {.pid = id,
                           .ebx = (uint32_t)r->rbx,
                           .ecx = (uint32_t)r->rcx,
                           .edx = (uint32_t)r->rdx,
                           .esi = (uint32_t)r->rsi,
                           .edi = (uint32_t)r->rdi,
                           .ebp = (uint32_t)r->rbp,
                           .eax = (uint32_t)r->rax,
                           .ds = q->ds.selector,
                           .es = q->es.selector,
                           .fs = q->fs.selector,
                           .gs = q->gs.selector,
                           .orig_eax = UINT32_MAX,
                           .eip = (uint32_t)r->rip,
                           .cs = q->cs.selector,
                           .eflags = (uint32_t)r->rflags,
                           .esp = (uint32_t)r->rsp,
                           .ss = q->ss.selector};

    add_note(c, "CORE", NOTE_PRSTATUS, &p, sizeof p);
}

static int make_notes(struct core *c, struct error *error)
{
    const struct snapshot_still *s = c->still;

    c->notes = calloc(1, s->cpu_count * (sizeof(struct note) + sizeof(struct prstatus64)) +
                             sizeof(struct note) + s->linux_notes_size + 4);
    if (c->notes == NULL)
        return error_set(error, "out of memory");
    for (unsigned i = 0; i < s->cpu_count; i++)
        (c->wide ? add_wide : add_narrow)(c, i + 1, &s->cpus[i].registers.state);
    if (s->linux_notes != NULL)
        add_note(c, "VMCOREINFO", 0, s->linux_notes, s->linux_notes_size);
    return 0;
}

/* ---- The file ---------------------------------------------------------------------------------
 */

/* The file offset of a guest-physical address: memory is in the file once, in the order of its
 * slots. */
static uint64_t place_of(const struct core *c, gpa_t gpa)
{
    uint64_t at = c->ram;

    for (unsigned i = 0; i < c->still->memory.count; i++) {
        const struct memory_slot *slot = &c->still->memory.slots[i];

        if (gpa - slot->base < slot->size)
            return at + (gpa - slot->base);
        at += slot->size;
    }
    return at;
}

static bool put(const struct core *c, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, c->file) == size;
}

static bool put_program(const struct core *c, uint32_t type, uint64_t offset, const struct load *l)
{
    uint32_t flags = type == ELF_PT_LOAD ? ELF_PF_R | ELF_PF_W | ELF_PF_X : 0;
    struct elf64_program_header wide = {.type = type,
                                        .flags = flags,
                                        .offset = offset,
                                        .vaddr = l->at,
                                        .paddr = l->gpa,
                                        .filesz = l->size,
                                        .memsz = type == ELF_PT_LOAD ? l->size : 0};
    struct elf32_program_header narrow = {.type = type,
                                          .offset = (uint32_t)offset,
                                          .vaddr = (uint32_t)l->at,
                                          .paddr = (uint32_t)l->gpa,
                                          .filesz = (uint32_t)l->size,
                                          .memsz = (uint32_t)wide.memsz,
                                          .flags = flags};

    return c->wide ? put(c, &wide, sizeof wide) : put(c, &narrow, sizeof narrow);
}

static bool put_head(const struct core *c)
{
    struct elf_ident ident = {.magic = {0x7f, 'E', 'L', 'F'},
                              .class_ = c->wide ? ELF_CLASS_64 : ELF_CLASS_32,
                              .data = ELF_DATA_LSB,
                              .version = 1};
    struct elf64_header wide = {.ident = ident,
                                .type = ELF_TYPE_CORE,
                                .machine = ELF_MACHINE_X86_64,
                                .version = 1,
                                .phoff = sizeof wide,
                                .ehsize = sizeof wide,
                                .phentsize = sizeof(struct elf64_program_header),
                                .phnum = (uint16_t)(1 + c->load_count)};
    struct elf32_header narrow = {.ident = ident,
                                  .type = ELF_TYPE_CORE,
                                  .machine = ELF_MACHINE_386,
                                  .version = 1,
                                  .phoff = sizeof narrow,
                                  .ehsize = sizeof narrow,
                                  .phentsize = sizeof(struct elf32_program_header),
                                  .phnum = (uint16_t)(1 + c->load_count)};

    return c->wide ? put(c, &wide, sizeof wide) : put(c, &narrow, sizeof narrow);
}

/* The last page is written even if it is zero, so that the file gets its full size. */
static bool put_memory(const struct core *c)
{
    const struct memory *memory = &c->still->memory;
    uint64_t file_at = c->ram, skipped = 0;

    for (unsigned i = 0; i < memory->count; i++)
        for (uint64_t at = 0; at < memory->slots[i].size; at += PAGE_SIZE, file_at += PAGE_SIZE) {
            const uint8_t *page = memory->slots[i].host + at;
            bool last = i + 1 == memory->count && at + PAGE_SIZE == memory->slots[i].size;

            if (!last && memory_is_zero(page, PAGE_SIZE)) {
                skipped++;
                continue;
            }
            if ((skipped > 0 && fseek(c->file, (long)file_at, SEEK_SET) < 0) ||
                !put(c, page, PAGE_SIZE))
                return false;
            skipped = 0;
        }
    return true;
}

static bool put_all(struct core *c)
{
    size_t head = c->wide ? sizeof(struct elf64_header) : sizeof(struct elf32_header);
    size_t each =
        c->wide ? sizeof(struct elf64_program_header) : sizeof(struct elf32_program_header);
    uint64_t notes = head + (1 + c->load_count) * each;
    struct load note = {.size = c->notes_size};

    c->ram = (notes + c->notes_size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    if (!put_head(c) || !put_program(c, ELF_PT_NOTE, notes, &note))
        return false;
    for (unsigned i = 0; i < c->load_count; i++)
        if (!put_program(c, ELF_PT_LOAD, place_of(c, c->loads[i].gpa), &c->loads[i]))
            return false;
    return put(c, c->notes, c->notes_size) && fseek(c->file, (long)c->ram, SEEK_SET) == 0 &&
           put_memory(c);
}

/* Removes the file if it cannot be written as a whole. */
static int write_file(struct core *c, const char *path, struct error *error)
{
    bool good;

    c->file = fopen(path, "wxe");
    if (c->file == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    good = put_all(c);
    good = fclose(c->file) == 0 && good;
    if (good)
        return 0;
    error_set(error, "%s: %s", path, strerror(errno));
    (void)remove(path);
    return -1;
}

/* Uses a 64-bit file for a guest in long mode, or with memory beyond the addresses or offsets of a
 * 32-bit file. A 32-bit file is enough for a ROM below 4 GiB. */
int snapshot_vmcore_write(const struct snapshot_still *still, const char *path, struct error *error)
{
    struct core c = {.still = still, .wide = false};
    int result = -1;

    for (unsigned i = 0; i < still->cpu_count; i++)
        c.wide |= snapshot_is_long(&still->cpus[i].registers.state);
    c.wide |= still->folder.machine.config.memory > 2 * GIB;
    c.wide |= memory_end(&still->memory) > 4 * GIB;
    if (find_loads(&c, error) == 0 && make_notes(&c, error) == 0)
        result = write_file(&c, path, error);
    free(c.loads);
    free(c.notes);
    return result;
}
