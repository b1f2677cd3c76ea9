/* The world around a device, as a few variables: what it printed, what it may read, how it ended.
 */
#ifndef TEST_FAKE_BACKEND_H
#define TEST_FAKE_BACKEND_H

#include <string.h>

#include "dev/backend.h"

struct fake {
    struct backend backend;
    struct memory memory;
    uint8_t printed[256];
    size_t printed_count, printed_total; /* kept; and in all */
    const uint8_t *input;
    size_t input_count;
    bool input_ends; /* after the bytes: the end, instead of nothing yet */
    bool wanted;
    bool line[16];
    unsigned edges; /* rises of any line, and pulses */
    unsigned woken, said;
    unsigned sleeps, wakes;
    unsigned alarms; /* a device has another time now */
    unsigned messages;
    uint64_t message_address, notified_at; /* the last of each */
    uint32_t message_data;
    enum end_kind end;
    int code;
    char message[256];
};

static inline void fake_output(void *context, const uint8_t *bytes, size_t count)
{
    struct fake *f = context;

    f->printed_total += count;
    for (size_t i = 0; i < count; i++)
        if (f->printed_count < sizeof f->printed)
            f->printed[f->printed_count++] = bytes[i];
}

static inline int fake_input(void *context)
{
    struct fake *f = context;

    if (f->input_count > 0) {
        f->input_count--;
        return *f->input++;
    }
    if (f->input_ends)
        return INPUT_END;
    return INPUT_NONE;
}

static inline int fake_pending(void *context)
{
    struct fake *f = context;

    return f->input_count == 0 && f->input_ends ? INPUT_END : (int)f->input_count;
}

static inline void fake_want(void *context)
{
    ((struct fake *)context)->wanted = true;
}

static inline void fake_interrupt(void *context, uint32_t line, bool level)
{
    struct fake *f = context;

    f->edges += level && !f->line[line % 16];
    f->line[line % 16] = level;
}

static inline void fake_alarm(void *context)
{
    ((struct fake *)context)->alarms++;
}

static inline void fake_pulse(void *context, uint32_t line)
{
    (void)line;
    ((struct fake *)context)->edges++;
}

static inline void fake_message(void *context, uint64_t address, uint32_t data)
{
    struct fake *f = context;

    f->messages++;
    f->message_address = address;
    f->message_data = data;
}

static inline void fake_notify_at(void *context, unsigned device, uint64_t address)
{
    (void)device;
    ((struct fake *)context)->notified_at = address;
}

static inline void fake_wake(void *context)
{
    ((struct fake *)context)->woken++;
}

static inline bool fake_release(void *pages, uint64_t length, enum memory_backing backing)
{
    memset(pages, 0, length);
    return backing != MEMORY_FILE;
}

enum { FAKE_RANDOM = 0x4f };

static inline bool fake_random(void *bytes, size_t size)
{
    memset(bytes, FAKE_RANDOM, size);
    return true;
}

static inline void fake_say(void *context, const char *text)
{
    struct fake *f = context;

    f->said++;
    strncpy(f->message, text, sizeof f->message - 1);
}

static inline void fake_debug(void *context, uint8_t byte)
{
    fake_output(context, &byte, 1);
}

static inline void fake_sleep(void *context)
{
    ((struct fake *)context)->sleeps++;
}

static inline void fake_awaken(void *context, enum acpi_pm_event cause)
{
    (void)cause;
    ((struct fake *)context)->wakes++;
}

static inline void fake_end(void *context, enum end_kind kind, int code, const char *message)
{
    struct fake *f = context;

    f->end = kind;
    f->code = code;
    strncpy(f->message, message != NULL ? message : "", sizeof f->message - 1);
}

static inline void fake_init(struct fake *f)
{
    *f = (struct fake){0};
    f->backend = (struct backend){.context = f,
                                  .memory = &f->memory,
                                  .output = fake_output,
                                  .input = fake_input,
                                  .pending = fake_pending,
                                  .want_input = fake_want,
                                  .interrupt = fake_interrupt,
                                  .alarm = fake_alarm,
                                  .pulse = fake_pulse,
                                  .message = fake_message,
                                  .notify_at = fake_notify_at,
                                  .wake = fake_wake,
                                  .say = fake_say,
                                  .random = fake_random,
                                  .release = fake_release,
                                  .debug = fake_debug,
                                  .sleep = fake_sleep,
                                  .awaken = fake_awaken,
                                  .end = fake_end};
}

#endif
