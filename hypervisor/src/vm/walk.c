/* Walks both stages of translation; see walk.h. */
#include "vm/walk.h"

#include "lib/console.h"
#include "vm/memory.h"

#define PTE_V      1ul
#define PTE_RWX    0xeul
#define PTE_PPN(e) ((e) >> 10 & ATP_PPN_MASK)

static uint64_t guest_satp(const struct vcpu *v)
{
    return vcpu_is_loaded(v) ? csr_read(CSR_VSATP) : v->csr.vsatp;
}

/* True if `levels` levels can translate the address: all upper bits equal the highest used bit. */
static bool is_canonical(gva_t gva, unsigned levels)
{
    unsigned shift = 64 - (12 + 9 * levels);

    return (uint64_t)((int64_t)(gva << shift) >> shift) == gva;
}

static void step_through(struct vcpu *v, gva_t gva, unsigned levels, gpa_t table, struct walk *w)
{
    for (int level = (int)levels - 1; level >= 0; level--) {
        unsigned shift = 12 + 9 * (unsigned)level;
        struct walk_step *s = &w->step[w->steps++];

        *s = (struct walk_step){.level = (unsigned)level, .at = table + (gva >> shift & 511) * 8};
        if (!memory_read(v->vm, s->at, &s->entry, 8)) {
            w->why = "the table is outside the guest's memory";
            return;
        }
        if ((s->entry & PTE_V) == 0) {
            w->why = "the entry is not valid";
            return;
        }
        table = PTE_PPN(s->entry) << 12;
        if (s->entry & PTE_RWX) {
            w->gpa = (table & ~((1ul << shift) - 1)) | (gva & ((1ul << shift) - 1));
            w->good = true;
            return;
        }
    }
    w->why = "the last entry is not a leaf";
}

void walk_guest(struct vcpu *v, gva_t gva, struct walk *w)
{
    uint64_t satp = guest_satp(v);
    uint64_t mode = satp >> ATP_MODE_SHIFT;
    unsigned levels;

    *w = (struct walk){.why = "the address is not canonical"};
    if (mode == ATP_MODE_BARE) {
        *w = (struct walk){.good = true, .bare = true, .gpa = gva};
        return;
    }
    if (mode < ATP_MODE_SV39 || mode > ATP_MODE_SV57) {
        w->why = "satp has an unknown mode";
        return;
    }
    levels = (unsigned)(mode - ATP_MODE_SV39) + 3;
    if (is_canonical(gva, levels))
        step_through(v, gva, levels, (satp & ATP_PPN_MASK) << 12, w);
}

static const char *flags_text(uint64_t entry, char text[9])
{
    static const char letters[] = "DAGUXWRV";

    for (int i = 0; i < 8; i++)
        text[i] = entry & 1ul << (7 - i) ? letters[i] : '-';
    text[8] = '\0';
    return text;
}

static void print_step(void *context, unsigned level, uint64_t at, uint64_t entry)
{
    char flags[9];

    print("hv:   %s level %u: entry at 0x%lx is 0x%016lx %s -> 0x%lx\n", (const char *)context,
          level, at, entry, flags_text(entry, flags), PTE_PPN(entry) << 12);
}

void walk_print_gpa(struct vm *vm, gpa_t gpa)
{
    struct gstage_leaf leaf;

    print("hv:  G stage of gpa 0x%lx, %s, root 0x%lx\n", gpa,
          vm->stage.levels == 3 ? "Sv39x4" : "Sv48x4", (uint64_t)vm->stage.root);
    gstage_walk(&vm->stage, gpa, print_step, (void *)(uintptr_t) "G ");
    if (gstage_lookup(&vm->stage, gpa, &leaf))
        print("hv:   gpa 0x%lx is host 0x%lx, a block of %lu KiB\n", gpa,
              leaf.hpa + (gpa - leaf.gpa), gstage_size(leaf.level) / KIB);
    else
        print("hv:   gpa 0x%lx is not mapped: %s\n", gpa,
              vm_contains(vm, gpa, 1)         ? "RAM that was never touched"
              : vm_device_at(vm, gpa) != NULL ? vm_device_at(vm, gpa)->ops->name
                                              : "neither RAM nor a device");
}

void walk_print(struct vcpu *v, gva_t gva)
{
    struct walk w;

    walk_guest(v, gva, &w);
    print("hv:  VS stage of gva 0x%lx, vsatp 0x%lx\n", gva, guest_satp(v));
    for (unsigned i = 0; i < w.steps; i++)
        print_step((void *)(uintptr_t) "VS", w.step[i].level, w.step[i].at, w.step[i].entry);
    if (!w.good) {
        print("hv:   no translation: %s\n", w.why);
        return;
    }
    print("hv:   %s gpa 0x%lx\n", w.bare ? "translation is off:" : "gva is", w.gpa);
    walk_print_gpa(v->vm, w.gpa);
}
