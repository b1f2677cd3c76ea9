/* The processor's modes, see checks.h. Each guest reads memory in its mode and reports the
 * value. */
#include "lab/probe/checks.h"

static int say_and_halt(struct guest *guest, uint8_t value)
{
    int code = guest_expect_say(guest, 0, value);

    return code < 0 ? code : guest_expect(guest, 0, KVM_EXIT_HLT);
}

int modes_real(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(real), GUEST_REAL);

    return code < 0 ? code : say_and_halt(guest, 0x52);
}

int modes_real_int(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(real_int), GUEST_REAL);

    if (code == 0)
        code = guest_expect_say(guest, 0, 1);
    return code < 0 ? code : say_and_halt(guest, 2);
}

int modes_protected(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(protected), GUEST_PROTECTED);

    return code < 0 ? code : say_and_halt(guest, 0x44);
}

int modes_paged(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(paged), GUEST_PAGED);

    if (code == 0)
        code = guest_expect_say(guest, 0, 0x44);
    return code < 0 ? code : say_and_halt(guest, 0x77);
}

int modes_pae(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(paged), GUEST_PAE);

    if (code == 0)
        code = guest_expect_say(guest, 0, 0x44);
    return code < 0 ? code : say_and_halt(guest, 0x77);
}

int modes_pae_cr4(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(pae_cr4), GUEST_PAE);

    return code < 0 ? code : say_and_halt(guest, 0x44);
}

int modes_long(struct guest *guest)
{
    int code = guest_make(guest, GUEST_CODE(long), GUEST_LONG);

    return code < 0 ? code : say_and_halt(guest, 0x44);
}
