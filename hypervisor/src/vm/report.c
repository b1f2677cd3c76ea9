/* Reports about a guest that was ended; see report.h. */
#include "vm/report.h"

#include "cpu/csr.h"
#include "lib/console.h"
#include "vm/trap.h"
#include "vm/vm.h"
#include "vm/walk.h"

void report_registers(const struct vcpu *v)
{
    print("hv:  pc   %016lx  sstatus %016lx  hstatus %016lx  %s-mode\n", v->pc, v->sstatus,
          v->hstatus, v->sstatus & SSTATUS_SPP ? "VS" : "VU");
    for (unsigned i = 1; i < 32; i += 4) {
        char line[128];
        int n = 0;

        for (unsigned j = i; j < i + 4 && j < 32; j++)
            n += fmt_snprint(line + n, sizeof line - (size_t)n, "  %-4s %016lx", insn_register(j),
                             v->x[j]);
        print("hv:%s\n", line);
    }
}

void report_print(struct vcpu *v, const char *reason)
{
    char text[INSN_TEXT_SIZE];

    print("hv: vm %s is ended: %s\n", v->vm->config.name, reason);
    print("hv:  vCPU %u, cause %lu (%s), stval 0x%lx, htval 0x%lx, htinst 0x%lx\n", v->id,
          v->trap.cause, trap_cause_text(v->trap.cause), v->trap.stval, v->trap.htval,
          v->trap.htinst);
    if (v->insn.length != 0)
        print("hv:  instruction: %s\n", insn_text(&v->insn, text));
    report_registers(v);
    print("hv: where pc is:\n");
    walk_print(v, v->pc);
    print("hv: where stval is:\n");
    walk_print(v, v->trap.stval);
}
