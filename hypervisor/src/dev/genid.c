/* The generation of a VM; see genid.h. */
#include "dev/genid.h"

#include "common/string.h"
#include "lib/random.h"

void genid_renew(struct genid *g, bool tell)
{
    uint8_t bytes[RANDOM_SEED];

    random_take(bytes);
    memcpy(g->id, bytes, sizeof g->id);
    irq_set(&g->irq, tell);
}

static uint64_t read(void *state, uint64_t offset, unsigned width)
{
    struct genid *g = state;
    uint64_t value = 0;

    if (offset + width <= sizeof g->id)
        memcpy(&value, g->id + offset, width);
    irq_set(&g->irq, false);
    return value;
}

static void write(void *state, uint64_t offset, unsigned width, uint64_t value)
{
    (void)state;
    (void)offset;
    (void)width;
    (void)value;
}

const struct device_ops genid_ops = {.name = "generation ID", .read = read, .write = write};
