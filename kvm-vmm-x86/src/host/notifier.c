/* Notifiers; see notifier.h. */
#include "host/notifier.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int notifier_open(struct notifier *notifier, struct error *error)
{
    notifier->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return notifier->fd >= 0 ? 0 : error_set(error, "cannot make an eventfd: %s", strerror(errno));
}

void notifier_close(struct notifier *notifier)
{
    if (notifier->fd >= 0)
        close(notifier->fd);
    notifier->fd = -1;
}

void notifier_signal(const struct notifier *notifier)
{
    uint64_t one = 1;

    if (write(notifier->fd, &one, sizeof one) < 0)
        return; /* the counter is full: the waiting thread is notified already */
}
