/*
 * The descriptors of this process (RLIMIT_NOFILE). Guests can make it open files and sockets, by a
 * shared folder, --vsock or --net user. Each of these gets an equal part, and refuses what goes
 * beyond it, so that the rest of the program and the other guests never run out.
 */
#ifndef HOST_DESCRIPTORS_H
#define HOST_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

enum { DESCRIPTORS_MAX = 1 << 16 };

/* The descriptors that one user holds; a user may report one more than once. */
struct descriptor_set {
    unsigned count;
    uint8_t bits[DESCRIPTORS_MAX / 8];
};

/* Raises the limit to its maximum, and returns how many descriptors each of `users` may hold. */
unsigned descriptors_for_each(unsigned users);

void descriptors_hold(struct descriptor_set *set, int fd, bool held);

#endif
