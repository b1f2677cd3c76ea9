/* Observers and their calls; see observer.h. */
#include "vm/observer.h"

#include "vm/vm.h"

unsigned observers_add(struct observers *o, const struct observer *observer, void *context)
{
    unsigned seat = o->count++;
    uint8_t bit = (uint8_t)(1 << seat);

    o->seats[seat].observer = observer;
    o->seats[seat].context = context;
    o->before_entry |= observer->before_entry != NULL ? bit : 0;
    o->takes_exit |= observer->takes_exit != NULL ? bit : 0;
    o->after_exit |= observer->after_exit != NULL ? bit : 0;
    o->phase |= observer->phase != NULL ? bit : 0;
    o->output |= observer->output != NULL ? bit : 0;
    o->ended |= observer->ended != NULL ? bit : 0;
    o->timed |= observer->timed;
    o->watches_entry = o->timed || o->before_entry != 0;
    return seat;
}

void *observers_context(const struct vm *vm, const struct observer *observer)
{
    const struct observers *o = vm->observers;

    for (unsigned i = 0; i < o->count; i++)
        if (o->seats[i].observer == observer)
            return o->seats[i].context;
    return NULL;
}

int observers_image(struct vm *vm, struct file *image, struct error *error)
{
    const struct observers *o = vm->observers;

    for (unsigned i = 0; i < o->count; i++)
        if (o->seats[i].observer->image != NULL &&
            o->seats[i].observer->image(o->seats[i].context, vm, image, error) < 0)
            return -1;
    return 0;
}

int observers_vcpu_made(struct vcpu *vcpu, struct error *error)
{
    const struct observers *o = vcpu->vm->observers;

    for (unsigned i = 0; i < o->count; i++)
        if (o->seats[i].observer->vcpu_made != NULL &&
            o->seats[i].observer->vcpu_made(o->seats[i].context, vcpu, &vcpu->watched[i], error) <
                0)
            return -1;
    return 0;
}

void observers_vcpu_gone(struct vcpu *vcpu)
{
    const struct observers *o = vcpu->vm->observers;

    for (unsigned i = 0; i < o->count; i++) {
        if (o->seats[i].observer->vcpu_gone != NULL && vcpu->watched[i] != NULL)
            o->seats[i].observer->vcpu_gone(vcpu->watched[i]);
        vcpu->watched[i] = NULL;
    }
}

bool observers_take_exit(struct vcpu *vcpu)
{
    const struct observers *o = vcpu->vm->observers;

    FOR_SEATS(i, o->takes_exit)
    if (o->seats[i].observer->takes_exit(vcpu->watched[i], vcpu))
        return true;
    return false;
}

void observers_phase(struct vm *vm, enum vm_phase phase)
{
    const struct observers *o = vm->observers;

    FOR_SEATS(i, o->phase)
    o->seats[i].observer->phase(o->seats[i].context, vm, phase);
}

void observers_output(struct vm *vm, const uint8_t *bytes, size_t count)
{
    const struct observers *o = vm->observers;

    FOR_SEATS(i, o->output)
    o->seats[i].observer->output(o->seats[i].context, vm, bytes, count);
}

void observers_ended(struct vm *vm)
{
    const struct observers *o = vm->observers;

    FOR_SEATS(i, o->ended)
    o->seats[i].observer->ended(o->seats[i].context, vm);
}
