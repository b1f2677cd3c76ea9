/* Chooses the engine; see aio.h. */
#include "host/disk/aio.h"

#include <stdlib.h>
#include <string.h>

struct aio *aio_open(struct error *error)
{
    const char *wanted = getenv("KVM_VMM_AIO");
    struct aio *aio = NULL;

    if (wanted == NULL || strcmp(wanted, "threads") != 0)
        aio = aio_open_uring(error);
    return aio != NULL ? aio : aio_open_threads(error);
}

void aio_submit(struct aio *aio, struct aio_job *job)
{
    aio->in_flight++;
    aio->ops->submit(aio, job);
}

void aio_flush(struct aio *aio)
{
    aio->ops->flush(aio);
}

void aio_collect(struct aio *aio)
{
    aio->ops->collect(aio);
}

bool aio_close(struct aio *aio)
{
    return aio->ops->close(aio);
}

void aio_leave(struct aio *aio)
{
    if (aio->ops->leave != NULL)
        aio->ops->leave(aio);
}
