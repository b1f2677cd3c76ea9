/* A ring of words and a list of links; see queue.h. */
#include "std/queue.h"

bool queue_push(struct queue *queue, uintptr_t word)
{
    size_t at = queue->head + queue->count;

    if (queue->count == queue->capacity)
        return false;
    queue->slots[at < queue->capacity ? at : at - queue->capacity] = word;
    queue->count++;
    return true;
}

bool queue_pop(struct queue *queue, uintptr_t *word)
{
    if (queue->count == 0)
        return false;
    *word = queue->slots[queue->head];
    queue->head = queue->head + 1 < queue->capacity ? queue->head + 1 : 0;
    queue->count--;
    return true;
}

void queue_list_insert(struct queue_link *before, struct queue_link *link)
{
    link->next = before;
    link->previous = before->previous;
    before->previous->next = link;
    before->previous = link;
}

void queue_list_push(struct queue_list *list, struct queue_link *link)
{
    if (list->ring.next == NULL)
        list->ring.next = list->ring.previous = &list->ring;
    queue_list_insert(&list->ring, link);
}

struct queue_link *queue_list_first(const struct queue_list *list)
{
    return queue_list_empty(list) ? NULL : list->ring.next;
}

struct queue_link *queue_list_pop(struct queue_list *list)
{
    struct queue_link *link = queue_list_first(list);

    if (link != NULL)
        queue_list_remove(link);
    return link;
}

struct queue_link *queue_list_after(const struct queue_list *list, const struct queue_link *link)
{
    return link->next == &list->ring ? NULL : link->next;
}

void queue_list_remove(struct queue_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link->previous = NULL;
}
