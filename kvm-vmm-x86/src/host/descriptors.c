/* Descriptors for what guests open; see descriptors.h. */
#include "host/descriptors.h"

#include <sys/resource.h>

/* OTHERS: for the rest of the program. Clients of the control socket may hold 2,574 of them while
 * they are being closed (control/server.c). USERS_LEAST: a single user does not get all. */
enum { OTHERS = 3072, MIN = 64, USERS_LEAST = 4 };

unsigned descriptors_for_each(unsigned users)
{
    struct rlimit limit;
    unsigned have = 1024;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
            have = limit.rlim_cur > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : (unsigned)limit.rlim_cur;
    }
    have = have > 2 * OTHERS ? have - OTHERS : have / 2;
    return (have > MIN ? have : MIN) / (users > USERS_LEAST ? users : USERS_LEAST);
}

void descriptors_hold(struct descriptor_set *set, int fd, bool held)
{
    if (fd < 0 || fd >= DESCRIPTORS_MAX || (set->bits[fd / 8] >> fd % 8 & 1) == held)
        return;
    set->bits[fd / 8] ^= (uint8_t)(1 << fd % 8);
    set->count += held ? 1u : -1u;
}
