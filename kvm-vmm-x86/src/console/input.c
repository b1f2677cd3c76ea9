/* The input of all guests; see input.h. */
#include "console/input.h"

#include "base/config.h"
#include "host/threads.h"

enum { CTRL_A = 0x01, CTRL_C = 0x03 };

struct queue {
    uint8_t bytes[INPUT_QUEUE_SIZE];
    size_t head, used;
    bool wanted;  /* the guest has asked for input at least once */
    bool stopped; /* the guest has ended */
    bool choked;  /* it was full, and takes no input until it is half empty */
};

static struct {
    struct lock lock; /* protects everything below */
    struct input_config config;
    struct queue queues[GUESTS_MAX];
    unsigned focus;
    bool finished;
    bool news;         /* a read by some guest could return something else now */
    bool after_ctrl_a; /* used by the main thread only */
} input;

void input_init(const struct input_config *config)
{
    lock_init(&input.lock);
    input.config = *config;
    input.focus = config->focus;
    input.finished = input.news = input.after_ctrl_a = false;
    for (unsigned i = 0; i < GUESTS_MAX; i++) { /* not the bytes: untouched pages take no memory */
        struct queue *q = &input.queues[i];

        q->head = q->used = 0;
        q->wanted = q->stopped = q->choked = false;
    }
}

/* At a terminal any guest that reads counts, since the focus can be passed to it. */
static bool reads_locked(void)
{
    bool reads = input.queues[input.focus].wanted && !input.queues[input.focus].stopped;

    for (unsigned i = 0; input.config.keys && i < input.config.guests; i++)
        reads |= input.queues[i].wanted && !input.queues[i].stopped;
    return reads;
}

/* Keys from a terminal are always read, since some are meant for the VMM; keys for which the guest
 * has no room are dropped, as a real keyboard drops them. Other input stays in its source. */
size_t input_room(void)
{
    LOCK_FOR_BLOCK(&input.lock);
    const struct queue *q = &input.queues[input.focus];

    if (!reads_locked() || input.finished)
        return 0;
    if (input.config.keys)
        return INPUT_QUEUE_SIZE;
    return q->stopped || q->choked ? 0 : INPUT_QUEUE_SIZE - q->used;
}

static void append(uint8_t byte)
{
    LOCK_FOR_BLOCK(&input.lock);
    struct queue *q = &input.queues[input.focus];

    if (q->used < INPUT_QUEUE_SIZE)
        q->bytes[(q->head + q->used++) % INPUT_QUEUE_SIZE] = byte;
    q->choked |= q->used == INPUT_QUEUE_SIZE;
    input.news = true;
}

/* The key after Ctrl-A. A second Ctrl-A sends one to the guest; a key without a meaning is dropped.
 */
static void command_key(uint8_t key)
{
    static const struct {
        char key;
        enum input_command command;
    } keys[] = {{'n', INPUT_NEXT_GUEST},
                {'x', INPUT_LEAVE},
                {'p', INPUT_POWER},
                {'h', INPUT_HELP},
                {'?', INPUT_HELP}};

    if (key == CTRL_A)
        append(CTRL_A);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (key == keys[i].key)
            input.config.command(keys[i].command);
}

/* Whether the guest with the focus reads its input and has room for a key. */
static bool focus_reads(void)
{
    LOCK_FOR_BLOCK(&input.lock);
    const struct queue *q = &input.queues[input.focus];

    return q->wanted && q->used < INPUT_QUEUE_SIZE;
}

void input_feed(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (input.after_ctrl_a) { /* only this thread uses it */
            input.after_ctrl_a = false;
            command_key(bytes[i]);
        } else if (input.config.keys && bytes[i] == CTRL_A) {
            input.after_ctrl_a = true;
        } else if (input.config.keys && bytes[i] == CTRL_C && !focus_reads()) {
            input.config.command(INPUT_INTERRUPT);
        } else {
            append(bytes[i]);
        }
    }
}

void input_finish(void)
{
    LOCK_FOR_BLOCK(&input.lock);

    input.finished = input.news = true;
}

unsigned input_focus(void)
{
    LOCK_FOR_BLOCK(&input.lock);
    return input.focus;
}

bool input_is_read(void)
{
    LOCK_FOR_BLOCK(&input.lock);
    return reads_locked();
}

static void pass_focus_locked(void)
{
    for (unsigned step = 1; step < input.config.guests; step++) {
        unsigned next = (input.focus + step) % input.config.guests;

        if (!input.queues[next].stopped) {
            input.focus = next;
            input.news = true;
            break;
        }
    }
}

unsigned input_pass_focus(void)
{
    LOCK_FOR_BLOCK(&input.lock);

    pass_focus_locked();
    return input.focus;
}

void input_want(unsigned guest)
{
    bool news;

    lock_take(&input.lock);
    news = !input.queues[guest].wanted;
    input.queues[guest].wanted = true;
    lock_release(&input.lock);
    if (news)
        input.config.wake();
}

/* What the guest's next read would return. INPUT_NONE: nothing yet, but input may still come. */
static int state_locked(unsigned guest)
{
    const struct queue *q = &input.queues[guest];

    if (q->stopped)
        return INPUT_NONE;
    if (q->used > 0)
        return q->bytes[q->head];
    return input.finished || guest != input.focus ? INPUT_END : INPUT_NONE;
}

int input_take(unsigned guest)
{
    struct queue *q = &input.queues[guest];
    bool eased = false;
    int byte;

    lock_take(&input.lock);
    byte = state_locked(guest);
    if (byte >= 0) {
        q->head = (q->head + 1) % INPUT_QUEUE_SIZE;
        q->used--;
        eased = q->choked && q->used <= INPUT_QUEUE_SIZE / 2;
        q->choked &= !eased;
    }
    lock_release(&input.lock);
    if (eased)
        input.config.wake();
    return byte;
}

int input_pending(unsigned guest)
{
    LOCK_FOR_BLOCK(&input.lock);
    return state_locked(guest) == INPUT_END ? INPUT_END : (int)input.queues[guest].used;
}

bool input_has_ended(unsigned guest)
{
    LOCK_FOR_BLOCK(&input.lock);
    return state_locked(guest) == INPUT_END && (input.finished || !input.config.keys);
}

void input_stop(unsigned guest)
{
    lock_take(&input.lock);
    input.queues[guest].stopped = true;
    if (guest == input.focus && input.config.keys)
        pass_focus_locked(); /* a person must not type to a guest that has ended */
    lock_release(&input.lock);
    input.config.wake(); /* a guest may be waiting for this */
}

void input_restart(unsigned guest)
{
    LOCK_FOR_BLOCK(&input.lock);

    input.queues[guest].wanted = false;
    input.queues[guest].stopped = false; /* it may have ended before it was told to start again */
}

bool input_has_news(void)
{
    LOCK_FOR_BLOCK(&input.lock);
    bool news = input.news;

    input.news = false;
    return news;
}
