/* Channels of a virtio console; see channel.h. */
#include "dev/virtio/channel.h"

#include <string.h>

static size_t ring_put(struct channel_ring *r, const uint8_t *bytes, size_t count)
{
    size_t at = (r->head + r->used) % CHANNEL_SIZE, first;

    if (count > CHANNEL_SIZE - r->used)
        count = CHANNEL_SIZE - r->used;
    first = count < CHANNEL_SIZE - at ? count : CHANNEL_SIZE - at;
    memcpy(r->bytes + at, bytes, first);
    memcpy(r->bytes, bytes + first, count - first);
    r->used += count;
    return count;
}

static void ring_drop(struct channel_ring *r, size_t count)
{
    r->head = (r->head + count) % CHANNEL_SIZE;
    r->used -= count;
}

static size_t ring_take(struct channel_ring *r, uint8_t *bytes, size_t room)
{
    size_t count = room < r->used ? room : r->used;
    size_t first = count < CHANNEL_SIZE - r->head ? count : CHANNEL_SIZE - r->head;

    memcpy(bytes, r->bytes + r->head, first);
    memcpy(bytes + first, r->bytes, count - first);
    ring_drop(r, count);
    return count;
}

/* Whether a waiting writer may go on: only when the ring is at most half full. */
static bool ring_eases(struct channel_ring *r)
{
    bool eased = r->wanted && r->used <= CHANNEL_SIZE / 2;

    r->wanted &= !eased;
    return eased;
}

static void set_full(struct channel *c, bool full)
{
    if (c->full != NULL)
        c->full(c->context, full);
}

/* Called after the host has taken bytes. */
static bool guest_eases(struct channel *c)
{
    bool eased = ring_eases(&c->from_guest);

    if (eased)
        set_full(c, false);
    return eased;
}

void channel_init(struct channel *c)
{
    lock_init(&c->lock);
}

size_t channel_write(struct channel *c, const void *bytes, size_t count)
{
    size_t written;

    lock_take(&c->lock);
    written = ring_put(&c->to_guest, bytes, count);
    c->to_guest.wanted |= written < count;
    lock_release(&c->lock);
    if (written > 0)
        c->wake(c->context);
    return written;
}

size_t channel_read(struct channel *c, void *bytes, size_t room)
{
    size_t count;
    bool eased;

    lock_take(&c->lock);
    count = ring_take(&c->from_guest, bytes, room);
    eased = guest_eases(c);
    lock_release(&c->lock);
    if (eased)
        c->wake(c->context);
    return count;
}

/* The device only appends, so the bytes stay valid after the lock is released. */
const uint8_t *channel_peek(struct channel *c, size_t *count)
{
    struct channel_ring *r = &c->from_guest;
    LOCK_FOR_BLOCK(&c->lock);

    *count = r->used < CHANNEL_SIZE - r->head ? r->used : CHANNEL_SIZE - r->head;
    return r->bytes + r->head;
}

void channel_drop(struct channel *c, size_t count)
{
    bool eased;

    lock_take(&c->lock);
    ring_drop(&c->from_guest, count);
    eased = guest_eases(c);
    lock_release(&c->lock);
    if (eased)
        c->wake(c->context);
}

void channel_set_open(struct channel *c, bool open)
{
    bool changed;

    lock_take(&c->lock);
    changed = c->host_open != open;
    c->host_open = open;
    if (!open) {
        c->from_guest.wanted = false;
        set_full(c, false);
        if (!c->keeps)
            c->from_guest.used = 0;
    }
    lock_release(&c->lock);
    if (changed)
        c->wake(c->context);
}

void channel_resize(struct channel *c, unsigned rows, unsigned columns)
{
    lock_take(&c->lock);
    c->rows = (uint16_t)(rows < UINT16_MAX ? rows : UINT16_MAX);
    c->columns = (uint16_t)(columns < UINT16_MAX ? columns : UINT16_MAX);
    c->resized = true;
    lock_release(&c->lock);
    c->wake(c->context);
}

size_t channel_room(struct channel *c)
{
    LOCK_FOR_BLOCK(&c->lock);

    c->to_guest.wanted |= c->to_guest.used == CHANNEL_SIZE;
    return CHANNEL_SIZE - c->to_guest.used;
}

bool channel_is_open(struct channel *c)
{
    LOCK_FOR_BLOCK(&c->lock);

    return c->guest_open || c->from_guest.used > 0;
}

size_t channel_put(struct channel *c, const void *bytes, size_t size)
{
    size_t count = size;
    bool was_empty;

    lock_take(&c->lock);
    was_empty = c->from_guest.used == 0;
    if (c->host_open)
        count = ring_put(&c->from_guest, bytes, size);
    c->from_guest.wanted |= count < size;
    lock_release(&c->lock);
    if (was_empty && count > 0)
        c->news(c->context);
    return count;
}

void channel_putchar(struct channel *c, uint8_t byte)
{
    struct channel_ring *r = &c->from_guest;
    bool was_empty;

    lock_take(&c->lock);
    if (!c->host_open && r->used >= CHANNEL_KEPT)
        ring_drop(r, r->used - CHANNEL_KEPT + 1);
    was_empty = r->used == 0;
    (void)ring_put(r, &byte, 1);
    if (c->host_open && r->used > CHANNEL_KEPT && !r->wanted) {
        r->wanted = true;
        set_full(c, true);
    }
    lock_release(&c->lock);
    if (was_empty)
        c->news(c->context);
}

size_t channel_take(struct channel *c, void *bytes, size_t room)
{
    size_t count;
    bool eased;

    lock_take(&c->lock);
    count = ring_take(&c->to_guest, bytes, room);
    eased = ring_eases(&c->to_guest);
    lock_release(&c->lock);
    if (eased)
        c->news(c->context);
    return count;
}

bool channel_host_is_open(struct channel *c)
{
    LOCK_FOR_BLOCK(&c->lock);

    return c->host_open || c->to_guest.used > 0;
}

size_t channel_pending(struct channel *c)
{
    LOCK_FOR_BLOCK(&c->lock);

    return c->to_guest.used;
}

void channel_set_guest_open(struct channel *c, bool open)
{
    bool changed;

    lock_take(&c->lock);
    changed = c->guest_open != open;
    c->guest_open = open;
    lock_release(&c->lock);
    if (changed)
        c->news(c->context);
}

bool channel_take_size(struct channel *c, uint16_t *rows, uint16_t *columns)
{
    bool resized;
    LOCK_FOR_BLOCK(&c->lock);

    resized = c->resized;
    c->resized = false;
    *rows = c->rows;
    *columns = c->columns;
    return resized;
}
