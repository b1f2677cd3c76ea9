/* What an exit was; see trace.h. */
#include "watch/record/trace.h"

#include "console/console.h"
#include "vm/exits.h"
#include "vm/vm.h"
#include "watch/record/record.h"

static void trace_exit(void *state, struct vcpu *vcpu, const struct exit_record *record, bool ended)
{
    uint32_t reason = vcpu->cpu.run->exit_reason;
    uint32_t slot = reason < EXIT_REASONS ? reason : EXIT_REASONS - 1;
    char text[160];

    (void)state;
    (void)ended;
    log_record_describe(&vcpu->vm->machine.bus, record, text, sizeof text);
    vcpu_printf(vcpu->vm->index, "[guest %u] exit %llu: %s %llu, rip %#llx%s%s", vcpu->vm->index,
                (unsigned long long)vcpu->stats.exits, exits_name(reason),
                (unsigned long long)vcpu->stats.by_reason[slot], (unsigned long long)record->rip,
                text[0] != '\0' ? ", " : "", text);
}

const struct observer trace_observer = {.name = "verbose", .after_exit = trace_exit};
