/* A notifier: an eventfd(2), which a thread, or KVM, signals and another waits for. */
#ifndef HOST_NOTIFIER_H
#define HOST_NOTIFIER_H

#include "base/error.h"

struct notifier {
    int fd; /* -1: none */
};

int notifier_open(struct notifier *notifier, struct error *error) MUST_CHECK;
void notifier_close(struct notifier *notifier);
/* From any thread; never waits. */
void notifier_signal(const struct notifier *notifier);

#endif
