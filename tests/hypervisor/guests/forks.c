/*
 * Clones itself by the hypervisor's own call (abi/sbi.h, SBI_OWN): three times, of which its
 * manifest allows no more. With FAILS it expects that there is no memory for a clone.
 */
#include "tests/hypervisor/guests/lib/guest.h"

#define OWN 0x0a6b766d

static uint64_t known;

int main(void);

int main(void)
{
    struct sbi s;

    known = 0x1234567;
    expect(guest_sbi(BASE, 3, OWN, 0, 0, 0).value == 1);
    expect(guest_sbi(OWN, 1, 1, 0, 0, 0).error == NOT_SUPPORTED);
    expect(guest_sbi(OWN, 0, 0, 0, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(OWN, 0, 33, 0, 0, 0).error == INVALID_PARAM);
    expect(guest_sbi(OWN, 0, 4, 0, 0, 0).error == DENIED);
    s = guest_sbi(OWN, 0, 3, 0, 0, 0);
#ifdef FAILS
    expect(s.error == -1);
    guest_say("not cloned, %lu were made", s.value);
#else
    expect(s.error == SUCCESS);
    guest_say("number %lu%s", s.value, known == 0x1234567 ? ", with what was known" : "");
#endif
    expect(guest_sbi(OWN, 0, 1, 0, 0, 0).error == DENIED); /* neither again, nor by a clone */
    guest_finish();
}
