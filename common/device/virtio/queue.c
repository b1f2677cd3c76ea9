/* Split virtqueues (virtio 1.2, 2.7), the device's side; see virtio.h. */
#include "common/device/virtio/virtio.h"

#include "common/string.h"

/* --- the guest's memory --- */

static void log_write(struct virtio *dev, uint64_t address, uint64_t size)
{
    if (dev->world->written != NULL)
        dev->world->written(dev->context, address, size);
}

static int copy(struct virtio *dev, uint64_t address, uint8_t *bytes, uint64_t size, bool write)
{
    while (size > 0) {
        struct virtio_piece piece;
        int result = dev->world->piece(dev->context, address, size, write, &piece);

        if (result != VIRTIO_OK)
            return result;
        if (write) {
            memcpy(piece.at, bytes, piece.size);
            log_write(dev, address, piece.size);
        } else
            memcpy(bytes, piece.at, piece.size);
        address += piece.size;
        bytes += piece.size;
        size -= piece.size;
    }
    return VIRTIO_OK;
}

/* A word of two bytes that the driver may access at the same time. It is aligned, so it lies in one
 * piece of memory, and one access reads or writes both bytes. */
static int ring_word(struct virtio *dev, uint64_t address, bool write, uint16_t **word)
{
    struct virtio_piece piece;
    int result = dev->world->piece(dev->context, address, sizeof **word, write, &piece);

    if (result == VIRTIO_OK)
        *word = piece.at;
    return result;
}

static int load_word(struct virtio *dev, uint64_t address, uint16_t *value)
{
    uint16_t *word;
    int result = ring_word(dev, address, false, &word);

    if (result == VIRTIO_OK)
        *value = __atomic_load_n(word, __ATOMIC_ACQUIRE); /* pairs with the driver's release */
    return result;
}

static int store_word(struct virtio *dev, uint64_t address, uint16_t value)
{
    uint16_t *word;
    int result = ring_word(dev, address, true, &word);

    if (result == VIRTIO_OK) {
        __atomic_store_n(word, value, __ATOMIC_RELEASE); /* after all earlier writes */
        log_write(dev, address, sizeof value);
    }
    return result;
}

/* --- taking requests --- */

/* A table of descriptors: the queue's, or an indirect one. */
struct table {
    uint64_t at;
    uint32_t count;
};

/* Opens the indirect table to which `d` refers. Returns what is wrong with it, or NULL. */
static const char *open_indirect(const struct virtio *dev, const struct virtio_descriptor *d,
                                 struct table *table)
{
    if (!virtio_has(dev, VIRTIO_F_INDIRECT_DESC) || (d->flags & VIRTIO_DESC_NEXT))
        return "an indirect descriptor that is not allowed there";
    if (d->size == 0 || d->size % sizeof *d != 0)
        return "an indirect table of a wrong size";
    if (!dev->world->contains(dev->context, d->address, d->size))
        return "an indirect table outside its memory";
    *table = (struct table){.at = d->address, .count = (uint32_t)(d->size / sizeof *d)};
    return NULL;
}

static const char *add_part(const struct virtio *dev, struct virtio_chain *c,
                            const struct virtio_descriptor *d)
{
    bool writable = (d->flags & VIRTIO_DESC_WRITE) != 0;

    if (!writable && c->writable > 0)
        return "a readable descriptor after a writable one";
    if (d->size > 0 && !dev->world->contains(dev->context, d->address, d->size))
        return "a buffer outside its memory";
    c->part[c->count++] =
        (struct virtio_part){.at = d->address, .size = d->size, .writable = writable};
    *(writable ? &c->writable : &c->readable) += d->size;
    return NULL;
}

/* Copies the chain that begins at c->head. Reads each descriptor once, and takes at most c->room of
 * them, so that a chain with a loop ends. */
static const char *read_chain(struct virtio *dev, const struct virtio_queue_state *q,
                              struct virtio_chain *c)
{
    struct table table = {.at = q->descriptors, .count = q->size};
    bool indirect = false;
    uint32_t index = c->head;
    struct virtio_descriptor d;
    const char *wrong = NULL;

    c->count = 0;
    c->readable = c->writable = 0;
    do {
        if (index >= table.count)
            return "a descriptor index beyond its table";
        if (copy(dev, table.at + index * sizeof d, (uint8_t *)&d, sizeof d, false) != VIRTIO_OK)
            return "a descriptor table outside its memory";
        if (d.flags & VIRTIO_DESC_INDIRECT) {
            wrong = indirect ? "an indirect table inside another" : open_indirect(dev, &d, &table);
            indirect = true;
            index = 0;
            d.flags = VIRTIO_DESC_NEXT;
        } else if (c->count == c->room) {
            return "a chain of descriptors that is too long, or a loop";
        } else {
            wrong = add_part(dev, c, &d);
            index = d.next;
        }
    } while (wrong == NULL && (d.flags & VIRTIO_DESC_NEXT));
    return wrong;
}

static struct virtio_queue_state *usable(struct virtio *dev, unsigned queue)
{
    struct virtio_queue_state *q = &dev->state.queue[queue];

    return queue < dev->ops->queues && q->ready && virtio_is_running(dev) ? q : NULL;
}

/* The number of requests that wait; 0 also if the driver broke the queue. */
static uint16_t waiting(struct virtio *dev, const struct virtio_queue_state *q)
{
    uint16_t index;

    if (load_word(dev, q->driver + VIRTIO_RING_INDEX, &index) != VIRTIO_OK) {
        virtio_broken(dev, "an available ring outside its memory");
        return 0;
    }
    index = (uint16_t)(index - q->next_available);
    if (index <= q->size)
        return index;
    virtio_broken(dev, "an available index too far ahead");
    return 0;
}

bool virtio_pop(struct virtio *dev, unsigned queue, struct virtio_chain *c)
{
    struct virtio_queue_state *q = usable(dev, queue);
    const char *wrong = "an available ring outside its memory";
    uint64_t slot;

    if (q == NULL || waiting(dev, q) == 0)
        return false;
    slot = q->next_available & (q->size - 1);
    c->queue = (uint16_t)queue;
    if (load_word(dev, q->driver + VIRTIO_RING_ENTRIES + 2 * slot, &c->head) == VIRTIO_OK)
        wrong = read_chain(dev, q, c);
    if (wrong != NULL) {
        virtio_broken(dev, wrong);
        return false;
    }
    q->next_available++;
    dev->in_flight[queue]++;
    return true;
}

void virtio_unpop(struct virtio *dev, const struct virtio_chain *c)
{
    dev->state.queue[c->queue].next_available--;
    dev->in_flight[c->queue]--;
}

/* --- giving them back --- */

/* Writes the index once, after all entries: the driver sees all of them or none. */
int virtio_push_all(struct virtio *dev, const struct virtio_chain *c, const uint32_t *written,
                    unsigned count)
{
    struct virtio_queue_state *q = usable(dev, c[0].queue);
    int result = VIRTIO_OK;

    for (unsigned k = 0; k < count; k++)
        for (uint32_t i = 0; i < c[k].count; i++)
            if (c[k].part[i].writable && c[k].part[i].size > 0)
                log_write(dev, c[k].part[i].at, c[k].part[i].size);
    if (q != NULL && !dev->resetting) {
        for (unsigned k = 0; k < count && result == VIRTIO_OK; k++) {
            struct virtio_used element = {.head = c[k].head, .written = written[k]};
            uint64_t slot = (uint16_t)(q->next_used + k) & (q->size - 1);

            result = copy(dev, q->device + VIRTIO_RING_ENTRIES + slot * sizeof element,
                          (uint8_t *)&element, sizeof element, true);
        }
        if (result == VIRTIO_OK)
            result =
                store_word(dev, q->device + VIRTIO_RING_INDEX, (uint16_t)(q->next_used + count));
        if (result == VIRTIO_LATER)
            return result;
        if (result == VIRTIO_BAD)
            virtio_broken(dev, "a used ring outside its memory");
        q->next_used += (uint16_t)count;
    }
    dev->in_flight[c[0].queue] -= count;
    return VIRTIO_OK;
}

int virtio_push(struct virtio *dev, const struct virtio_chain *c, uint32_t written)
{
    return virtio_push_all(dev, c, &written, 1);
}

/* True if `event` lies between the indices `before` and `now` (2.7.7.1). */
static bool is_passed(uint16_t event, uint16_t now, uint16_t before)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

static bool wants_interrupt(struct virtio *dev, struct virtio_queue_state *q)
{
    uint16_t before = q->told, word = 0;
    bool valid = q->told_valid;

    /* The used index is written before the driver's event field is read. The driver does both in
     * the opposite order (2.7.10), so that at least one side sees the other's write. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    q->told = q->next_used;
    q->told_valid = true;
    if (!virtio_has(dev, VIRTIO_F_EVENT_IDX))
        return load_word(dev, q->driver + VIRTIO_RING_FLAGS, &word) == VIRTIO_OK &&
               !(word & VIRTIO_RING_NO_EVENT);
    return load_word(dev, q->driver + VIRTIO_RING_ENTRIES + 2ul * q->size, &word) == VIRTIO_OK &&
           (!valid || is_passed(word, q->next_used, before));
}

void virtio_notify_driver(struct virtio *dev, unsigned queue)
{
    struct virtio_queue_state *q = usable(dev, queue);

    if (q == NULL || q->told == q->next_used || !wants_interrupt(dev, q))
        return;
    dev->state.interrupt |= VIRTIO_INTERRUPT_USED;
    dev->world->interrupt(dev->context, queue, true);
}

/* Asks the driver for a notification when it makes request number `next` available. */
static int ask_for(struct virtio *dev, const struct virtio_queue_state *q, uint16_t next)
{
    int result;

    if (virtio_has(dev, VIRTIO_F_EVENT_IDX))
        result = store_word(
            dev, q->device + VIRTIO_RING_ENTRIES + sizeof(struct virtio_used) * q->size, next);
    else
        result = store_word(dev, q->device + VIRTIO_RING_FLAGS, 0);
    /* The event field is written before the caller reads the available index; the driver does both
     * in the opposite order (2.7.10). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return result;
}

int virtio_listen(struct virtio *dev, unsigned queue)
{
    struct virtio_queue_state *q = usable(dev, queue);
    int result = q == NULL ? VIRTIO_OK : ask_for(dev, q, q->next_available);

    if (q == NULL || result == VIRTIO_LATER)
        return result;
    return waiting(dev, q) > 0 ? VIRTIO_MORE : VIRTIO_OK;
}

uint16_t virtio_offered(struct virtio *dev, unsigned queue)
{
    struct virtio_queue_state *q = usable(dev, queue);

    if (q == NULL)
        return 0;
    (void)ask_for(dev, q, (uint16_t)(q->next_available + waiting(dev, q)));
    return (uint16_t)(q->next_available + waiting(dev, q));
}

/* With EVENT_IDX there is nothing to do: the event index is in the past. If the flag cannot be
 * written, the driver sends notifications that are not needed. */
void virtio_stop_listening(struct virtio *dev, unsigned queue)
{
    struct virtio_queue_state *q = usable(dev, queue);

    if (q != NULL && !virtio_has(dev, VIRTIO_F_EVENT_IDX))
        (void)store_word(dev, q->device + VIRTIO_RING_FLAGS, VIRTIO_RING_NO_EVENT);
}

/* --- a request's memory --- */

int virtio_pieces(struct virtio *dev, const struct virtio_chain *c, bool writable, uint64_t skip,
                  uint64_t *size, struct virtio_piece *pieces, unsigned max, unsigned *count)
{
    uint64_t left = *size;

    *count = 0;
    for (uint32_t i = 0; i < c->count && left > 0; i++) {
        const struct virtio_part *part = &c->part[i];
        uint64_t end = part->size;

        if (part->writable != writable)
            continue;
        if (skip >= end) {
            skip -= end;
            continue;
        }
        if (end - skip > left)
            end = skip + left;
        while (skip < end && *count < max) {
            struct virtio_piece *p = &pieces[*count];
            int result = dev->world->piece(dev->context, part->at + skip, end - skip, writable, p);

            if (result != VIRTIO_OK)
                return result;
            skip += p->size;
            left -= p->size;
            ++*count;
        }
        if (skip < end) {
            *size -= left;
            return VIRTIO_OK;
        }
        skip = 0;
    }
    *size -= left;
    return left == 0 ? VIRTIO_OK : VIRTIO_BAD;
}

enum { PIECES = 8 };

static int move(struct virtio *dev, const struct virtio_chain *c, uint64_t skip, uint8_t *bytes,
                uint64_t size, bool write)
{
    while (size > 0) {
        struct virtio_piece pieces[PIECES];
        uint64_t n = size;
        unsigned count;
        int result = virtio_pieces(dev, c, write, skip, &n, pieces, PIECES, &count);

        if (result != VIRTIO_OK)
            return result;
        for (unsigned i = 0; i < count; i++) {
            if (write)
                memcpy(pieces[i].at, bytes, pieces[i].size);
            else
                memcpy(bytes, pieces[i].at, pieces[i].size);
            bytes += pieces[i].size;
        }
        skip += n;
        size -= n;
    }
    return VIRTIO_OK;
}

int virtio_read(struct virtio *dev, const struct virtio_chain *c, uint64_t skip, void *to,
                uint64_t size)
{
    return move(dev, c, skip, to, size, false);
}

int virtio_write(struct virtio *dev, const struct virtio_chain *c, uint64_t skip, const void *from,
                 uint64_t size)
{
    return move(dev, c, skip, (uint8_t *)(uintptr_t)from, size, true);
}
