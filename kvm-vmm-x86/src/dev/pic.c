/* A pair of 8259A; see pic.h. The command words have the data sheet's names. */
#include "dev/pic.h"

#include <string.h>

enum { ICW1 = 0x10, ICW1_NEEDS_ICW4 = 0x01, ICW1_SINGLE = 0x02, ICW2_VECTOR = 0xf8 };
enum { ICW4_AUTO_END = 0x02, OCW3 = 0x08, OCW3_READS = 0x02, OCW3_SERVICE = 0x01 };
enum { OCW2_END = 0x20, OCW2_SPECIFIC = 0x40, OCW2_LINE = 0x07 };
enum { CASCADE = 2, CHIP_LINES = 8, NONE = -1 };

/* The next line to serve: requested, not masked, and of higher priority than those in service. */
static int next_of(const struct pic_chip *chip, uint8_t request)
{
    uint8_t open = request & (uint8_t)~chip->mask;

    for (int line = 0; line < CHIP_LINES && chip->ready; line++) {
        if (chip->service >> line & 1)
            return NONE;
        if (open >> line & 1)
            return line;
    }
    return NONE;
}

/* The next line of the first chip: the second chip is one of its lines. */
static int next(const struct pic_state *s)
{
    uint8_t request = s->chips[0].request & (uint8_t) ~(1 << CASCADE);

    if (next_of(&s->chips[1], s->chips[1].request) != NONE)
        request |= 1 << CASCADE;
    return next_of(&s->chips[0], request);
}

static void accept(struct pic_chip *chip, int line)
{
    chip->request &= (uint8_t) ~(1 << line);
    if (!chip->auto_end)
        chip->service |= (uint8_t)(1 << line);
}

void pic_set_line(struct pic *pic, unsigned line, bool level)
{
    LOCK_FOR_BLOCK(&pic->lock);
    struct pic_chip *chip = &pic->state.chips[line / CHIP_LINES % 2];
    uint8_t bit = (uint8_t)(1 << line % CHIP_LINES);

    if (level && !(chip->level & bit))
        chip->request |= bit;
    chip->level = level ? chip->level | bit : chip->level & (uint8_t)~bit;
}

bool pic_has_interrupt(struct pic *pic)
{
    LOCK_FOR_BLOCK(&pic->lock);

    return next(&pic->state) != NONE;
}

uint8_t pic_acknowledge(struct pic *pic)
{
    LOCK_FOR_BLOCK(&pic->lock);
    struct pic_chip *first = &pic->state.chips[0], *second = &pic->state.chips[1];
    int line = next(&pic->state), behind;

    if (line == NONE)
        return first->vector | OCW2_LINE; /* spurious: the data sheet gives line 7 */
    accept(first, line);
    if (line != CASCADE)
        return first->vector | (uint8_t)line;
    behind = next_of(second, second->request);
    accept(second, behind);
    return second->vector | (uint8_t)behind;
}

bool pic_is_open(struct pic *pic)
{
    LOCK_FOR_BLOCK(&pic->lock);

    return pic->state.chips[0].ready && pic->state.chips[0].mask != UINT8_MAX;
}

static void end_interrupt(struct pic_chip *chip, uint8_t word)
{
    int line = 0;

    if (!(word & OCW2_END))
        return;
    if (word & OCW2_SPECIFIC)
        line = word & OCW2_LINE;
    else
        while (line < CHIP_LINES && !(chip->service >> line & 1))
            line++;
    chip->service &= (uint8_t) ~(1 << line);
}

static void command(struct pic_chip *chip, uint8_t word)
{
    if (word & ICW1)
        *chip = (struct pic_chip){.level = chip->level,
                                  .expects = 2,
                                  .has_icw4 = word & ICW1_NEEDS_ICW4,
                                  .is_single = (word & ICW1_SINGLE) != 0};
    else if (!(word & OCW3))
        end_interrupt(chip, word);
    else if (word & OCW3_READS)
        chip->reads_service = word & OCW3_SERVICE;
}

static void write_data(struct pic_chip *chip, uint8_t byte)
{
    uint8_t last = chip->has_icw4 ? 4 : 0;

    switch (chip->expects) {
    case 2:
        chip->vector = byte & ICW2_VECTOR;
        chip->expects = chip->is_single ? last : 3;
        break;
    case 3: /* ICW3, the line of the other chip, is fixed in a PC */
        chip->expects = last;
        break;
    case 4:
        chip->auto_end = (byte & ICW4_AUTO_END) != 0;
        chip->expects = 0;
        break;
    default:
        chip->mask = byte;
        return;
    }
    chip->ready = chip->expects == 0;
}

static enum verdict access_chip(struct pic *pic, struct pic_chip *chip, struct bus_access *access)
{
    LOCK_FOR_BLOCK(&pic->lock);

    if (access->write && access->offset == 0)
        command(chip, access->data[0]);
    else if (access->write)
        write_data(chip, access->data[0]);
    else if (access->offset == 0)
        access->data[0] = chip->reads_service ? chip->service : chip->request;
    else
        access->data[0] = chip->mask;
    return VERDICT_RESUME;
}

static enum verdict first_access(void *device, struct bus_access *access)
{
    struct pic *pic = device;

    return access_chip(pic, &pic->state.chips[0], access);
}

static enum verdict second_access(void *device, struct bus_access *access)
{
    struct pic *pic = device;

    return access_chip(pic, &pic->state.chips[1], access);
}

static bool is_sound(const void *saved)
{
    struct pic_state s;

    memcpy(&s, saved, sizeof s);
    for (unsigned i = 0; i < 2; i++)
        if (s.chips[i].expects > 4 || (s.chips[i].vector & (uint8_t)~ICW2_VECTOR))
            return false;
    return true;
}

static const char *const names[PIC_PORTS] = {"command", "mask"};
static const struct bus_registers registers = {.read = BUS_NAMES(names),
                                               .written = BUS_NAMES(names)};
static const struct bus_state state = {
    .version = 1, BUS_STATE_OF(struct pic), .is_sound = is_sound};

const struct bus_ops pic_first_ops = {.name = "interrupt controllers",
                                      .registers = &registers,
                                      .width = 1,
                                      .access = first_access,
                                      .state = &state};
const struct bus_ops pic_second_ops = {.name = "second interrupt controller",
                                       .registers = &registers,
                                       .width = 1,
                                       .access = second_access};

void pic_init(struct pic *pic)
{
    *pic = (struct pic){0};
    lock_init(&pic->lock);
}
