/* The recorder; see recorder.h. */
#include "watch/travel/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console/console.h"
#include "host/files/files.h"
#include "host/kvm/debug.h"
#include "host/kvm/interrupts.h"
#include "vm/deck.h"
#include "watch/travel/tape_file.h"

/* The limit for a guest that is recorded without --record: only its input is kept. */
enum { UNASKED_MAX = 8 << 20 };

static struct recorder {
    const char *record, *replay; /* paths; NULL: not asked for */
    struct outfile file;
    struct tape_header
        header;        /* of this run; for a replay that of the file, until they are compared */
    struct tape tape;  /* the tape to play; empty once the guest has it */
    struct vm_end end; /* how the guest ended, before a postmortem says more */
} recorder;

const char *recorder_refuses(const struct vm *vm)
{
    if (vm->vcpu_count > 1)
        return "a guest with several vCPUs never runs the same way twice";
    if (vm->mode >= MODE_LINUX)
        return "a guest that uses KVM's clocks and interrupts never runs the same way twice";
    if (config_virtio_count(vm->config) > 0)
        return "a guest with virtio devices never runs the same way twice";
    if (vm->config->watchdog != WATCHDOG_NONE)
        return "its watchdog (--watchdog) counts the host's time";
    if (vm->config->text_screen)
        return "keys typed at its display (--display) come at an instruction that is not recorded";
    return NULL;
}

static int make(void *context, struct vcpu *vcpu, void **state, struct error *error)
{
    struct deck *deck;

    (void)context;
    if (recorder_refuses(vcpu->vm) != NULL)
        return 0;
    deck = calloc(1, sizeof *deck);
    *state = vcpu->deck = deck;
    if (deck == NULL)
        return error_set(error, "out of memory");
    deck->mode = DECK_RECORD;
    deck->tape.limit = recorder.record != NULL ? TAPE_FILE_MAX : UNASKED_MAX;
    if (recorder.replay != NULL) {
        deck->mode = DECK_REPLAY;
        deck->tape = recorder.tape;
        recorder.tape = (struct tape){0};
    }
    return 0;
}

static void release(void *state)
{
    struct deck *deck = state;

    tape_release(&deck->tape);
    free(deck);
}

const struct observer recorder_tape_observer = {
    .name = "tape", .vcpu_made = make, .vcpu_gone = release};

int recorder_open(const char *record, const char *replay, struct error *error)
{
    struct error why;
    struct file file;
    int result;

    recorder = (struct recorder){.record = record, .replay = replay};
    if (outfile_open(&recorder.file, record, error) < 0)
        return -1;
    if (replay == NULL)
        return 0;
    if (file_load(&file, replay, sizeof recorder.header + (uint64_t)TAPE_FILE_MAX, error) < 0)
        return -1;
    result = tape_file_read(file.bytes, file.size, &recorder.header, &recorder.tape, &why);
    file_release(&file);
    return result == 0 ? 0 : error_set(error, "--replay %s: %s", replay, why.text);
}

bool recorder_is_wanted(void)
{
    return recorder.record != NULL || recorder.replay != NULL;
}

/* Sums registers and memory before the first instruction: whatever makes a difference to the guest
 * (image, options, loader and version) is in them. */
static int describe_start(const struct vm *vm, struct tape_header *header, struct error *error)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    *header = (struct tape_header){.mode = (uint16_t)vm->mode,
                                   .irqchip = vm->window        ? TAPE_IRQCHIP_WINDOW
                                              : vm->own_irqchip ? TAPE_IRQCHIP_VMM
                                                                : TAPE_IRQCHIP_KVM,
                                   .memory = vm->ram_size};
    if (kvm_read_registers(&vm->vcpus[0].cpu, &regs, &sregs, NULL) < 0)
        return error_set(error, "its registers cannot be read from KVM");
    header->start = tape_file_sum(0, &regs, sizeof regs);
    for (unsigned i = 0; i < vm->memory.count; i++)
        header->start =
            tape_file_sum(header->start, vm->memory.slots[i].host, vm->memory.slots[i].size);
    return 0;
}

static bool is_same_start(const struct tape_header *a, const struct tape_header *b)
{
    return a->mode == b->mode && a->memory == b->memory && a->start == b->start &&
           (a->irqchip == TAPE_IRQCHIP_KVM) == (b->irqchip == TAPE_IRQCHIP_KVM);
}

static int on_image(void *context, struct vm *vm, struct file *image, struct error *error)
{
    const char *option = recorder.record != NULL ? "--record" : "--replay";
    const char *why = recorder_refuses(vm);
    struct tape_header here;

    (void)context;
    (void)image;
    if (why != NULL)
        return error_set(error, "%s: %s: %s", option, vm->name, why);
    if (describe_start(vm, &here, error) < 0)
        return -1;
    if (recorder.replay != NULL && !is_same_start(&here, &recorder.header))
        return error_set(error,
                         "--replay %s: the recording is of another guest: image, options and "
                         "kvm-vmm must be the same as then",
                         recorder.replay);
    /* In a replay, interrupts come where they came in the recording, regardless of the probe here.
     */
    if (recorder.replay != NULL)
        vm->window = recorder.header.irqchip == TAPE_IRQCHIP_WINDOW;
    recorder.header = here;
    return 0;
}

/* Stops a guest whose tape is over. */
static void before_entry(void *state, struct vcpu *vcpu)
{
    struct deck *d = vcpu->deck;

    (void)state;
    if (d->mode == DECK_REPLAY && !d->diverged &&
        (d->place.at == d->tape.used || tape_next(&d->tape, &d->place, vcpu->recorded) == TAPE_END))
        deck_end(vcpu);
}

static void after_exit(void *state, struct vcpu *vcpu, const struct exit_record *record, bool ended)
{
    struct exit_record exit = *record;

    (void)state;
    (void)ended;
    exit.time = exit.cost = 0;
    deck_pass_exit(vcpu, &exit);
}

static void ended(void *context, struct vm *vm)
{
    (void)context;
    recorder.end = vm_end_of(vm);
}

const struct observer recorder_exits_observer = {.name = "recorder",
                                                 .image = on_image,
                                                 .before_entry = before_entry,
                                                 .after_exit = after_exit,
                                                 .ended = ended};

/* Whether one of KVM's timers may have interrupted the guest, which no exit shows: the PIT through
 * the PIC (ICW2 was written, and IRQ 0 is not masked), or the local APIC's timer (LVT timer, bit
 * 16). */
static bool has_timer(const struct vm *vm)
{
    enum { LVT_TIMER = 0x320, MASKED = 1 << 16 };
    struct kvm_pic_state pic;
    uint32_t lvt[8];

    if (!vm->irqchip)
        return false;
    return (kvm_read_pic(vm->fd, 0, &pic) && pic.irq_base != 0 && (pic.imr & 1) == 0) ||
           (kvm_read_lapic_bits(&vm->vcpus[0].cpu, LVT_TIMER, lvt) && (lvt[0] & MASKED) == 0);
}

static int write_all(struct vcpu *vcpu)
{
    const struct vm_end *end = &recorder.end;
    struct tape *tape = &vcpu->deck->tape;
    int failure, closed;

    if (tape->full)
        console_printf(
            "kvm-vmm: --record %s: the recording is full after %lu exits; a replay ends there",
            recorder.record, tape->end.exits);
    else
        tape_put_end(tape, vcpu->recorded, end->kind, end->code, end->message);
    if (has_timer(vcpu->vm))
        console_printf("kvm-vmm: --record %s: the guest uses a timer whose interrupts are not "
                       "recorded: its replay may differ%s",
                       recorder.record,
                       vcpu->vm->mode == MODE_PROTECTED
                           ? " (with --irqchip vmm they come at exits, and are recorded)"
                           : "");
    tape_file_seal(&recorder.header, tape);
    failure = outfile_begin(&recorder.file);
    if (failure == 0)
        failure = outfile_write(&recorder.file, &recorder.header, sizeof recorder.header);
    if (failure == 0)
        failure = outfile_write(&recorder.file, tape->bytes, tape->used);
    closed = outfile_close(&recorder.file);
    failure = failure != 0 ? failure : closed;
    if (failure != 0)
        console_printf("kvm-vmm: cannot write %s: %s", recorder.record,
                       failure == -EINTR ? "the run had to end before it was written"
                                         : strerror(-failure));
    return failure == 0 ? 0 : -1;
}

/* Compares the guest's end with the recorded one, unless that was taken from the tape already. */
static int compare_end(struct vcpu *vcpu)
{
    const struct vm_end *is = &recorder.end;
    struct deck *d = vcpu->deck;
    struct tape_end was;

    if (d->diverged)
        return -1;
    if (tape_take_end(&d->tape, &d->place, vcpu->recorded, &was) != TAPE_FOUND)
        return 0;
    if (was.kind == (int)is->kind && was.code == is->code &&
        strncmp(was.message, is->message, sizeof was.message - 1) == 0)
        return 0;
    console_printf("kvm-vmm: --replay %s: the guest ended differently than in its recording%s%s",
                   recorder.replay, was.message[0] != '\0' ? ", where it was: " : "", was.message);
    return -1;
}

int recorder_finish(struct vm *vm)
{
    if (recorder.record != NULL && (vm->vcpus_made == 0 || vm_state(vm) == VM_CREATED)) {
        console_printf("kvm-vmm: nothing is recorded in %s: the run ended while the guest started "
                       "again",
                       recorder.record);
        return -1;
    }
    if (vm->vcpus_made == 0 || vm->vcpus[0].deck == NULL)
        return 0;
    if (recorder.record != NULL)
        return write_all(&vm->vcpus[0]);
    return recorder.replay != NULL ? compare_end(&vm->vcpus[0]) : 0;
}

void recorder_close(void)
{
    if (!recorder_is_wanted())
        return; /* nothing was opened */
    outfile_abandon(&recorder.file);
    tape_release(&recorder.tape);
    recorder = (struct recorder){.file.fd = -1};
}
