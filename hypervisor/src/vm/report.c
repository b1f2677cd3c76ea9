/* Reports about an ended guest; see report.h. */
#include "vm/report.h"

#include "cpu/cpu.h"
#include "cpu/csr.h"
#include "lib/console.h"
#include "lib/symbols.h"
#include "vm/archive.h"
#include "vm/walk.h"

void report_registers(const struct vcpu *v)
{
    print("hv:  pc   %016lx  sstatus %016lx  hstatus %016lx  %s-mode\n", v->regs.pc,
          v->regs.sstatus, v->regs.hstatus, v->regs.sstatus & SSTATUS_SPP ? "VS" : "VU");
    for (unsigned i = 1; i < 32; i += 4) {
        char line[128];
        int n = 0;

        for (unsigned j = i; j < i + 4 && j < 32; j++)
            n += fmt_snprint(line + n, sizeof line - (size_t)n, "  %-4s %016lx", insn_register(j),
                             v->regs.x[j]);
        print("hv:%s\n", line);
    }
}

void report_place(const struct vm *vm, uint64_t pc, char text[REPORT_PLACE_SIZE])
{
    struct cpio_file file;
    struct symbol s;
    int n = fmt_snprint(text, REPORT_PLACE_SIZE, "0x%lx", pc);

    if (vm->config.symbols[0] != '\0' && archive_find(vm->config.symbols, &file) &&
        symbols_find((const char *)file.data, file.size, pc, &s))
        fmt_snprint(text + n, REPORT_PLACE_SIZE - (size_t)n, " %.*s+0x%lx",
                    (int)min64(s.length, 64), s.name, pc - s.address);
}

void report_print(struct vcpu *v, const char *reason)
{
    char text[INSN_TEXT_SIZE], place[REPORT_PLACE_SIZE];

    report_place(v->vm, v->regs.pc, place);
    print("hv: vm %s is ended: %s\n", v->vm->config.name, reason);
    print("hv:  vCPU %u, cause %lu (%s), stval 0x%lx, htval 0x%lx, htinst 0x%lx\n", v->id,
          v->regs.trap.cause, report_cause(v->regs.trap.cause), v->regs.trap.stval,
          v->regs.trap.htval, v->regs.trap.htinst);
    if (v->insn.length != 0)
        print("hv:  instruction: %s\n", insn_text(&v->insn, text));
    report_registers(v);
    print("hv: where pc is: %s\n", place);
    walk_print(v, v->regs.pc);
    print("hv: where stval is:\n");
    walk_print(v, v->regs.trap.stval);
}

enum { PLACES_SHOWN = 8 };

/* Of the instructions that share a slot, the one with the most exits of all vCPUs, and their
 * number. */
static struct exit_place most_of_slot(const struct vm *vm, unsigned slot)
{
    struct exit_place most = {0};

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        struct exit_place sum = {vm->vcpus[i]->places[slot].pc, 0};

        for (unsigned j = 0; j < vm->vcpu_count; j++)
            if (vm->vcpus[j]->places[slot].pc == sum.pc)
                sum.count += vm->vcpus[j]->places[slot].count;
        if (sum.count > most.count)
            most = sum;
    }
    return most;
}

void report_places(const struct vm *vm)
{
    struct exit_place top[PLACES_SHOWN + 1] = {0};
    char text[REPORT_PLACE_SIZE];

    for (unsigned slot = 0; slot < EXIT_PLACES; slot++) {
        unsigned at = PLACES_SHOWN;

        top[at] = most_of_slot(vm, slot);
        for (; at > 0 && top[at - 1].count < top[at].count; at--) {
            struct exit_place lower = top[at - 1];

            top[at - 1] = top[at];
            top[at] = lower;
        }
        cpu_serve_interrupts();
    }
    for (unsigned i = 0; i < PLACES_SHOWN && top[i].count > 0; i++) {
        report_place(vm, top[i].pc, text);
        print("hv: at least %lu exits at %s\n", top[i].count, text);
    }
}

const char *report_cause(uint64_t cause)
{
    static const char *const names[] = {
        [CAUSE_FETCH_MISALIGNED] = "misaligned fetch",
        [CAUSE_FETCH_ACCESS] = "fetch access fault",
        [CAUSE_ILLEGAL] = "illegal instruction",
        [CAUSE_BREAKPOINT] = "breakpoint",
        [CAUSE_LOAD_MISALIGNED] = "misaligned load",
        [CAUSE_LOAD_ACCESS] = "load access fault",
        [CAUSE_STORE_MISALIGNED] = "misaligned store",
        [CAUSE_STORE_ACCESS] = "store access fault",
        [CAUSE_ECALL_U] = "call from user mode",
        [CAUSE_ECALL_S] = "call from HS-mode",
        [CAUSE_ECALL_VS] = "call from VS-mode",
        [CAUSE_FETCH_PAGE] = "fetch page fault",
        [CAUSE_LOAD_PAGE] = "load page fault",
        [CAUSE_STORE_PAGE] = "store page fault",
        [CAUSE_FETCH_GUEST_PAGE] = "guest page fault on a fetch",
        [CAUSE_LOAD_GUEST_PAGE] = "guest page fault on a load",
        [CAUSE_VIRTUAL_INSN] = "virtual instruction",
        [CAUSE_STORE_GUEST_PAGE] = "guest page fault on a store",
    };

    if (cause & CAUSE_INTERRUPT)
        return "interrupt";
    return cause < ARRAY_SIZE(names) && names[cause] != NULL ? names[cause] : "unknown cause";
}

const char *report_interrupt(unsigned number)
{
    return number == IRQ_S_SOFT    ? "from another hart"
           : number == IRQ_S_TIMER ? "timer"
           : number == IRQ_S_EXT   ? "device"
                                   : "another guest's file";
}
