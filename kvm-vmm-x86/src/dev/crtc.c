/* The text part of a CRT controller; see crtc.h. */
#include "dev/crtc.h"

enum { CURSOR_START = 0x0a, CURSOR_END = 0x0b, START_HIGH = 0x0c, START_LOW = 0x0d };
enum { CURSOR_HIGH = 0x0e, CURSOR_LOW = 0x0f };
enum { CURSOR_OFF = 1 << 5, CURSOR_LINE = 0x1f, INDEX_MASK = 0x1f };

/* As a BIOS sets it for 80x25 text: the cursor is a line at the bottom of the character. */
enum { BIOS_CURSOR_START = 13, BIOS_CURSOR_END = 14 };

static enum verdict crtc_access(void *device, struct bus_access *access)
{
    struct crtc *c = device;
    uint8_t *reg;

    lock_take(&c->lock);
    reg = access->offset == 0 ? &c->state.index : &c->state.registers[c->state.index & INDEX_MASK];
    if (access->write)
        *reg = access->data[0];
    else
        access->data[0] = *reg;
    lock_release(&c->lock);
    return VERDICT_RESUME;
}

static const struct crtc_state at_power_on = {
    .registers = {[CURSOR_START] = BIOS_CURSOR_START, [CURSOR_END] = BIOS_CURSOR_END}};

static const char *const names[CRTC_PORTS] = {"index", "data"};
static const struct bus_registers registers = {.read = BUS_NAMES(names),
                                               .written = BUS_NAMES(names)};

static const struct bus_state state = {
    .version = 1, BUS_STATE_OF(struct crtc), .at_power_on = &at_power_on};

const struct bus_ops crtc_ops = {
    .name = "crtc", .registers = &registers, .width = 1, .access = crtc_access, .state = &state};

void crtc_init(struct crtc *crtc)
{
    *crtc = (struct crtc){.state = at_power_on};
    lock_init(&crtc->lock);
}

struct crtc_text crtc_text(struct crtc *crtc)
{
    const uint8_t *r = crtc->state.registers;
    struct crtc_text text;

    lock_take(&crtc->lock);
    text.start = (uint16_t)(r[START_HIGH] << 8 | r[START_LOW]);
    text.cursor = (uint16_t)(r[CURSOR_HIGH] << 8 | r[CURSOR_LOW]);
    text.cursor_shown = !(r[CURSOR_START] & CURSOR_OFF) &&
                        (r[CURSOR_START] & CURSOR_LINE) <= (r[CURSOR_END] & CURSOR_LINE);
    lock_release(&crtc->lock);
    return text;
}
