/* The interrupt controllers' state; see interrupts.h. */
#include "watch/explain/interrupts.h"

enum { CASCADE = 2 }; /* the line of the master PIC to which the slave is connected */

static int lowest(unsigned bits)
{
    return bits != 0 ? __builtin_ctz(bits) : -1;
}

static int highest_vector(const uint32_t words[8])
{
    for (int i = 7; i >= 0; i--)
        if (words[i] != 0)
            return i * 32 + 31 - __builtin_clz(words[i]);
    return -1;
}

int interrupts_in_service(const struct interrupts *i)
{
    int line;

    if (!i->known)
        return -1;
    for (int chip = 1; chip >= 0; chip--) {
        line = lowest(i->pic[chip].isr);
        if (line >= 0 && !(chip == 0 && line == CASCADE))
            return i->pic[chip].irq_base + line;
    }
    return highest_vector(i->in_service);
}

/* A line in service blocks itself and all lines of lower priority (higher number). */
bool interrupts_describe_stuck(struct text *text, const struct interrupts *i)
{
    if (!i->known)
        return false;
    for (int chip = 0; chip < 2; chip++) {
        const struct kvm_pic_state *p = &i->pic[chip];
        int serving = lowest(p->isr);
        int waiting = lowest(p->irr & (unsigned)~p->imr & 0xff);

        if (serving < 0 || (chip == 0 && serving == CASCADE && i->pic[1].isr != 0))
            continue;
        text_add(
            text, "IRQ %d (vector 0x%x) is in service at the %s PIC and was never ended (no EOI)",
            chip * 8 + serving, (unsigned)(p->irq_base + serving), chip == 0 ? "master" : "slave");
        if (waiting >= serving)
            text_add(text, ", so IRQ %d waits", chip * 8 + waiting);
        return true;
    }
    return false;
}

void interrupts_print(struct text *text, const struct interrupts *i)
{
    int apic;

    if (!i->known)
        return;
    for (int chip = 0; chip < 2; chip++)
        text_add(
            text,
            "  %s PIC: vectors from 0x%x, requested 0x%02x, in service 0x%02x, masked 0x%02x\n",
            chip == 0 ? "master" : "slave ", i->pic[chip].irq_base, i->pic[chip].irr,
            i->pic[chip].isr, i->pic[chip].imr);
    apic = highest_vector(i->in_service);
    if (apic >= 0)
        text_add(text, "  local APIC: vector 0x%x in service\n", (unsigned)apic);
}
