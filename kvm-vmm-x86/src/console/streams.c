/* The standard streams in the event loop; see streams.h. */
#include "console/streams.h"

#include "console/console.h"
#include "host/events.h"
#include "host/files/files.h"
#include "host/stream.h"

static struct {
    struct stream at[3];
    struct event_source sources[3];
} streams;

/* Each round of the loop writes what it can: this callback only exists to wake the loop. */
static void on_room(void *context)
{
    (void)context;
}

void streams_init(void (*input)(void *context))
{
    for (int fd = FILE_STDIN; fd <= FILE_STDERR; fd++) {
        stream_open(&streams.at[fd], fd);
        streams.sources[fd] = (struct event_source){.fd = streams.at[fd].fd,
                                                    .ready = fd == FILE_STDIN ? input : on_room};
    }
}

bool streams_are_one(void)
{
    return stream_is_same(&streams.at[FILE_STDOUT], &streams.at[FILE_STDERR]);
}

int streams_write(int fd, const void *bytes, size_t count)
{
    return stream_write(&streams.at[fd], bytes, count);
}

void streams_want_input(bool wanted)
{
    events_want(&streams.sources[FILE_STDIN], wanted ? EVENTS_READ : 0);
}

int streams_read(uint8_t *bytes, size_t size)
{
    return stream_read(&streams.at[FILE_STDIN], bytes, size);
}

bool streams_service(void)
{
    bool more = console_service();

    for (int fd = FILE_STDOUT; fd <= FILE_STDERR; fd++)
        events_want(&streams.sources[fd], console_waits(fd) ? EVENTS_WRITE : 0);
    return more;
}

void streams_finish(void)
{
    bool patient = true;

    while (!console_is_written() && patient) {
        bool more = streams_service();

        if (!console_is_written())
            patient = events_run_patiently(more ? 0 : EVENTS_FOREVER);
    }
    if (!patient && !console_is_written()) {
        console_printf("kvm-vmm: %zu bytes of output were not read in time", console_backlog());
        (void)console_service();
    }
}
