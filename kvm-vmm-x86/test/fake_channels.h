/* A guest's channels without a host behind them, for unit tests and fuzzers: what was called is
 * counted. */
#ifndef TEST_FAKE_CHANNELS_H
#define TEST_FAKE_CHANNELS_H

#include <string.h>

#include "dev/virtio/channel.h"

enum { FAKE_CHANNELS = 3 };

struct fake_channels {
    struct channels set;
    struct channel channel[FAKE_CHANNELS]; /* a console, and ports "in" and "out" */
    unsigned news, wakes;
};

static inline void fake_channel_news(void *context)
{
    ((struct fake_channels *)context)->news++;
}

static inline void fake_channel_wake(void *context)
{
    ((struct fake_channels *)context)->wakes++;
}

static inline void fake_channels_init(struct fake_channels *f)
{
    static const char *const names[FAKE_CHANNELS] = {"", "in", "out"};

    memset(f, 0, sizeof *f);
    f->set.count = FAKE_CHANNELS;
    f->set.fd = -1;
    for (unsigned i = 0; i < FAKE_CHANNELS; i++) {
        struct channel *c = f->set.at[i] = &f->channel[i];

        channel_init(c);
        strcpy(c->name, names[i]);
        c->console = i == 0;
        c->news = fake_channel_news;
        c->wake = fake_channel_wake;
        c->context = f;
    }
}

#endif
