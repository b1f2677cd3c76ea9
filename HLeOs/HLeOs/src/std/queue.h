/*
 * Two queues without allocation or lock: `queue`, a ring of machine words in the caller's array,
 * and `queue_list`, a list of links that sit inside the things queued. A caller that shares one
 * uses its own lock; hleos/thread/sync.h has a ring with a lock, whose users sleep.
 */
#ifndef STD_QUEUE_H
#define STD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue {
    uintptr_t *slots;
    size_t capacity, head, count; /* head: the oldest word */
};

#define QUEUE_INIT(array)                                                                          \
    {                                                                                              \
        .slots = (array), .capacity = sizeof(array) / sizeof((array)[0])                           \
    }

/* False if the queue is full. */
bool queue_push(struct queue *queue, uintptr_t word) __attribute__((warn_unused_result));
/* False if it is empty; `word` is then unchanged. */
bool queue_pop(struct queue *queue, uintptr_t *word) __attribute__((warn_unused_result));

/* A place in a list. A link that is in no list has next == NULL. */
struct queue_link {
    struct queue_link *next, *previous;
};

/* The list's own link closes the ring; zeroed memory is a valid empty list. */
struct queue_list {
    struct queue_link ring;
};

/* The structure of `type` whose member is the link at `link`. */
#define queue_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline bool queue_list_empty(const struct queue_list *list)
{
    return list->ring.next == NULL || list->ring.next == &list->ring;
}
/* `link` must be in no list. */
void queue_list_push(struct queue_list *list, struct queue_link *link);
/* Before `before`, which is in the list. */
void queue_list_insert(struct queue_link *before, struct queue_link *link);
/* The oldest link, or NULL; `first` does not remove it. */
struct queue_link *queue_list_first(const struct queue_list *list);
struct queue_link *queue_list_pop(struct queue_list *list);
/* The one behind `link`, or NULL at the end. */
struct queue_link *queue_list_after(const struct queue_list *list, const struct queue_link *link);
void queue_list_remove(struct queue_link *link);

#endif
