/* The deck; see deck.h. */
#include "vm/deck.h"

#include <stdarg.h>
#include <stdio.h>

#include "dev/backend.h"
#include "vm/exits.h"
#include "vm/ticks.h"
#include "vm/vm.h"

/* The vCPU whose exits this thread handles. */
static _Thread_local struct vcpu *here;

void deck_attach(struct vcpu *vcpu)
{
    here = vcpu;
    vm_silence(vcpu != NULL && vcpu->deck != NULL && vcpu->deck->silent);
}

static struct deck *mine(void)
{
    return here != NULL ? here->deck : NULL;
}

/* Stores how the guest diverged from the tape, and ends the guest unless it is led. */
__attribute__((format(printf, 2, 3))) static void diverge(struct vcpu *vcpu, const char *format,
                                                          ...)
{
    struct deck *d = vcpu->deck;
    va_list arguments;

    if (d->diverged)
        return;
    d->diverged = true;
    va_start(arguments, format);
    vsnprintf(d->how, sizeof d->how, format, arguments);
    va_end(arguments);
    if (d->led)
        return;
    vm_silence(false);
    vm_stop(vcpu->vm, END_FAILED, 0, "it differs from its recording: %s", d->how);
}

void deck_end(struct vcpu *vcpu)
{
    struct deck *d = vcpu->deck;
    struct tape_end end;

    d->diverged |= d->led;
    if (d->led) /* a guest that is led stops where the tape ends */
        return;
    switch (tape_take_end(&d->tape, &d->place, vcpu->recorded, &end)) {
    case TAPE_FOUND:
        vm_stop(vcpu->vm, (enum end_kind)end.kind, end.code, "%s", end.message);
        break;
    case TAPE_OVER:
        vm_stop(vcpu->vm, END_LIMIT, 0, "its recording ends after %lu exits", d->place.exits);
        break;
    default:
        diverge(vcpu, "exit %lu: the recording is damaged there", vcpu->recorded + 1);
        break;
    }
}

/* The value that a diverged guest gets until it has stopped. */
static uint64_t neutral(enum tape_kind kind)
{
    return kind == TAPE_INPUT || kind == TAPE_PENDING ? (uint64_t)INPUT_END : 0;
}

bool deck_plays(enum tape_kind kind, uint64_t *value)
{
    struct deck *d = mine();

    if (d == NULL || d->mode < DECK_PLAY)
        return false;
    *value = neutral(kind);
    if (d->diverged)
        return true;
    switch (tape_take(&d->tape, &d->place, here->recorded, kind, value)) {
    case TAPE_FOUND: /* the guest waited for input until its end */
        if (kind == TAPE_INPUT && *value == (uint64_t)INPUT_NONE && d->mode == DECK_REPLAY &&
            tape_next(&d->tape, &d->place, here->recorded) == TAPE_END)
            deck_end(here);
        break;
    case TAPE_OVER:
        if (d->mode == DECK_PLAY) {
            d->mode = DECK_RECORD;
            d->silent = false;
            vm_silence(false);
            return false;
        }
        deck_end(here);
        break;
    case TAPE_OTHER:
        diverge(here, "exit %lu reads %s; the recording has %s next", here->recorded + 1,
                tape_kind_name(kind),
                tape_kind_name(tape_next(&d->tape, &d->place, here->recorded)));
        break;
    case TAPE_DAMAGED:
        diverge(here, "exit %lu: the recording is damaged there", here->recorded + 1);
        break;
    }
    return true;
}

bool deck_plays_tick(struct vcpu *vcpu, bool halted, uint64_t *what)
{
    struct deck *d = vcpu->deck;
    struct tape_place before;

    if (d == NULL || d->mode < DECK_PLAY)
        return false;
    *what = 0;
    if (d->diverged)
        return true;
    before = d->place;
    switch (tape_take(&d->tape, &d->place, vcpu->recorded, TAPE_TICK, what)) {
    case TAPE_FOUND:
        if (((*what & TICK_HALTED) != 0) == halted)
            break;
        d->place = before; /* this tick belongs to the next HLT */
        *what = 0;
        break;
    case TAPE_DAMAGED:
        diverge(vcpu, "exit %lu: the recording is damaged there", vcpu->recorded + 1);
        break;
    case TAPE_OVER: /* a guest that is led stops here */
        if (d->mode != DECK_PLAY)
            break;
        d->mode = DECK_RECORD;
        d->silent = false;
        vm_silence(false);
        return false;
    default:
        break;
    }
    return true;
}

bool deck_ends(struct vcpu *vcpu)
{
    struct deck *d = vcpu->deck;

    if (d == NULL || d->mode < DECK_PLAY)
        return false;
    if (tape_next(&d->tape, &d->place, vcpu->recorded) == TAPE_END || d->place.at == d->tape.used)
        deck_end(vcpu);
    else
        diverge(vcpu, "exit %lu waits for an interrupt; the recording has %s next",
                vcpu->recorded + 1, tape_kind_name(tape_next(&d->tape, &d->place, vcpu->recorded)));
    return true;
}

void deck_note(enum tape_kind kind, uint64_t value)
{
    struct deck *d = mine();

    if (d != NULL && d->mode == DECK_RECORD)
        tape_put(&d->tape, here->recorded, here->items_done, kind, value);
}

void deck_catch_up(struct vcpu *vcpu)
{
    struct deck *d = vcpu->deck;

    if (d == NULL || !d->silent || vcpu->recorded < d->furthest)
        return;
    d->silent = false;
    vm_silence(false);
    if (d->live == DECK_RECORD && tape_next(&d->tape, &d->place, vcpu->recorded) == TAPE_NOTHING &&
        d->place.at == d->tape.used)
        d->mode = DECK_RECORD;
}

static void describe(const struct vcpu *vcpu, const struct exit_record *e, char *to, size_t size)
{
    int n = snprintf(to, size, "%s at rip %#lx", exits_name(e->reason), e->rip);

    (void)vcpu;
    if (e->space != EXIT_NOWHERE && n > 0 && (size_t)n < size)
        snprintf(to + n, size - (size_t)n, ", %s %s %#lx, %u of %u bytes, value %#lx",
                 e->write ? "write to" : "read of", e->space == EXIT_PORT ? "port" : "address",
                 e->address, e->count, e->size, e->value);
}

static bool is_same(const struct exit_record *a, const struct exit_record *b)
{
    return a->rip == b->rip && a->address == b->address && a->value == b->value &&
           a->count == b->count && a->reason == b->reason && a->space == b->space &&
           a->size == b->size && a->write == b->write;
}

/* The exit has been counted already. */
void deck_pass_exit(struct vcpu *vcpu, const struct exit_record *record)
{
    struct deck *d = vcpu->deck;
    uint64_t before = vcpu->recorded - 1;
    struct exit_record then;
    char was[120], is[120];

    if (d->mode == DECK_RECORD)
        tape_put_exit(&d->tape, before, record);
    if (d->mode < DECK_PLAY || d->diverged)
        return;
    switch (tape_take_exit(&d->tape, &d->place, before, &then)) {
    case TAPE_FOUND:
        if (is_same(&then, record))
            return;
        describe(vcpu, &then, was, sizeof was);
        describe(vcpu, record, is, sizeof is);
        diverge(vcpu, "exit %lu is %s; the recording has %s", vcpu->recorded, is, was);
        return;
    case TAPE_OVER:
        if (d->mode == DECK_PLAY) {
            d->mode = DECK_RECORD;
            tape_put_exit(&d->tape, before, record);
        }
        return;
    case TAPE_OTHER:
        diverge(vcpu, "exit %lu does not read %s, which the recording has next", vcpu->recorded,
                tape_kind_name(tape_next(&d->tape, &d->place, before)));
        return;
    case TAPE_DAMAGED:
        diverge(vcpu, "exit %lu: the recording is damaged there", vcpu->recorded);
        return;
    }
}
