/* The keyboard controller and its keyboard; see i8042.h. */
#include "dev/i8042.h"

#include <stddef.h>
#include <string.h>

enum { STATUS_OUTPUT = 1 << 0, STATUS_SYSTEM = 1 << 2, STATUS_COMMAND = 1 << 3 };
enum { STATUS_UNLOCKED = 1 << 4 };

enum { CONFIG = 0, CONFIG_IRQ = 1 << 0, CONFIG_SYSTEM = 1 << 2, CONFIG_CLOCK_OFF = 1 << 4 };
enum { CONFIG_MOUSE_OFF = 1 << 5, CONFIG_TRANSLATE = 1 << 6, CONFIG_WRITABLE = 0x55 };

enum {
    READ_RAM = 0x20,
    WRITE_RAM = 0x60,
    SELF_TEST = 0xaa,
    TEST_PORT = 0xab,
    CLOCK_OFF = 0xad,
    CLOCK_ON = 0xae,
    READ_OUTPUT_PORT = 0xd0,
    WRITE_OUTPUT_PORT = 0xd1,
    WRITE_BUFFER = 0xd2,
    WRITE_MOUSE = 0xd4,
    PULSE = 0xf0
};
enum { RAM_MASK = 0x1f, SELF_TEST_OK = 0x55, TEST_PORT_OK = 0x00 };
enum { PORT_RUNS = 1 << 0, PORT_OUTPUT = 1 << 4, PORT_REST = 0xce }; /* bit 0 low: CPU reset */

/* Commands to the keyboard, and its answers. */
enum {
    SET_LEDS = 0xed,
    ECHO = 0xee,
    SCAN_CODE_SET = 0xf0,
    IDENTIFY = 0xf2,
    SET_RATE = 0xf3,
    SCAN_ON = 0xf4,
    SCAN_OFF = 0xf5,
    DEFAULTS = 0xf6,
    RESEND = 0xfe,
    RESET = 0xff
};
enum { ACK = 0xfa, PASSED = 0xaa, ID_1 = 0xab, ID_2 = 0x83, ID_2_TRANSLATED = 0x41 };
enum { SET_2 = 0x02, SET_2_TRANSLATED = 0x41, RELEASED = 0x80, EXTENDED = 0xe0, BREAK = 0xf0 };

/* Codes of set 2, indexed by those of set 1: what the keyboard sends when the controller does not
 * translate. */
static const uint8_t set_2[] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66,
    0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14,
    0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a,
    0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05,
    0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b,
    0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71, 0x84, 0x00, 0x61, 0x78, 0x07};

/* If the guest sends commands and never reads, answers are dropped; the queue keeps the older ones.
 */
static void put(struct i8042_queue *q, uint8_t byte)
{
    if (q->used < I8042_QUEUE_SIZE)
        q->bytes[(q->head + q->used++) % I8042_QUEUE_SIZE] = byte;
}

static uint8_t take(struct i8042_queue *q)
{
    uint8_t byte = q->bytes[q->head];

    q->head = (uint16_t)((q->head + 1) % I8042_QUEUE_SIZE);
    q->used--;
    return byte;
}

static void update_line(struct i8042 *c)
{
    irq_set(&c->irq, c->state.full && (c->state.ram[CONFIG] & CONFIG_IRQ));
}

/* Moves the next byte into the output buffer. The line falls in between, because the interrupt
 * controller needs an edge. */
static void refill(struct i8042 *c)
{
    update_line(c);
    if (c->state.full)
        return;
    if (c->state.replies.used > 0) {
        c->state.output = take(&c->state.replies);
        c->state.full = true;
    } else if (c->state.keyboard.used > 0 && !(c->state.ram[CONFIG] & CONFIG_CLOCK_OFF)) {
        c->state.output = c->state.last_sent = take(&c->state.keyboard);
        c->state.full = true;
    }
    update_line(c);
}

static enum verdict reset_machine(struct i8042 *c)
{
    c->backend->end(c->backend->context, END_RESET, 0, NULL);
    return VERDICT_STOP;
}

static void reset_keyboard(struct i8042 *c)
{
    c->state.keyboard.used = 0;
    c->state.scanning = true;
    c->state.order = 0;
}

static void write_config(struct i8042 *c, uint8_t value)
{
    c->state.ram[CONFIG] = (value & CONFIG_WRITABLE) | CONFIG_MOUSE_OFF;
}

/* A byte written to the command port. */
static enum verdict obey(struct i8042 *c, uint8_t command)
{
    c->state.command = 0;
    if (command >= PULSE)
        return command & PORT_RUNS ? VERDICT_RESUME : reset_machine(c);
    if (command >= READ_RAM && command <= (READ_RAM | RAM_MASK)) {
        put(&c->state.replies, c->state.ram[command & RAM_MASK]);
        return VERDICT_RESUME;
    }
    if ((command >= WRITE_RAM && command <= (WRITE_RAM | RAM_MASK)) ||
        command == WRITE_OUTPUT_PORT || command == WRITE_BUFFER || command == WRITE_MOUSE) {
        c->state.command = command;
        return VERDICT_RESUME;
    }
    switch (command) {
    case SELF_TEST:
        c->state.ram[CONFIG] |= CONFIG_SYSTEM;
        put(&c->state.replies, SELF_TEST_OK);
        break;
    case TEST_PORT:
        put(&c->state.replies, TEST_PORT_OK);
        break;
    case CLOCK_OFF:
        c->state.ram[CONFIG] |= CONFIG_CLOCK_OFF;
        break;
    case CLOCK_ON:
        c->state.ram[CONFIG] &= (uint8_t)~CONFIG_CLOCK_OFF;
        break;
    case READ_OUTPUT_PORT:
        put(&c->state.replies, PORT_REST | PORT_RUNS | (c->state.full ? PORT_OUTPUT : 0));
        break;
    default: /* including the mouse's commands: a controller with one port has none of them */
        break;
    }
    return VERDICT_RESUME;
}

/* The data byte that follows a command. */
static enum verdict complete(struct i8042 *c, uint8_t command, uint8_t value)
{
    if (command == WRITE_OUTPUT_PORT && !(value & PORT_RUNS))
        return reset_machine(c);
    if (command == WRITE_RAM)
        write_config(c, value);
    else if (command > WRITE_RAM && command <= (WRITE_RAM | RAM_MASK))
        c->state.ram[command & RAM_MASK] = value;
    else if (command == WRITE_BUFFER)
        put(&c->state.replies, value);
    return VERDICT_RESUME;
}

/* The value that follows a command to the keyboard. Set 2 is the only scan code set; lights and
 * typing rate have no effect. */
static void complete_order(struct i8042 *c, uint8_t order, uint8_t value)
{
    bool translate = c->state.ram[CONFIG] & CONFIG_TRANSLATE;

    if (order == SCAN_CODE_SET && value != 0 && value != SET_2) {
        put(&c->state.keyboard, RESEND);
        return;
    }
    put(&c->state.keyboard, ACK);
    if (order == SCAN_CODE_SET && value == 0)
        put(&c->state.keyboard, translate ? SET_2_TRANSLATED : SET_2);
}

static void answer_identity(struct i8042 *c)
{
    put(&c->state.keyboard, ACK);
    put(&c->state.keyboard, ID_1);
    put(&c->state.keyboard, c->state.ram[CONFIG] & CONFIG_TRANSLATE ? ID_2_TRANSLATED : ID_2);
}

/* A byte sent to the keyboard. */
static void order_keyboard(struct i8042 *c, uint8_t value)
{
    uint8_t order = c->state.order;

    c->state.order = 0;
    c->state.ram[CONFIG] &= (uint8_t)~CONFIG_CLOCK_OFF; /* sending to it starts its clock */
    if (order != 0 && value < SET_LEDS) {
        complete_order(c, order, value);
        return;
    }
    switch (value) {
    case ECHO:
        put(&c->state.keyboard, ECHO);
        break;
    case IDENTIFY:
        answer_identity(c);
        break;
    case RESEND:
        put(&c->state.keyboard, c->state.last_sent);
        break;
    case RESET:
        reset_keyboard(c);
        put(&c->state.keyboard, ACK);
        put(&c->state.keyboard, PASSED);
        break;
    case SET_LEDS:
    case SCAN_CODE_SET:
    case SET_RATE:
        c->state.order = value;
        put(&c->state.keyboard, ACK);
        break;
    case SCAN_ON:
    case SCAN_OFF:
    case DEFAULTS:
        c->state.keyboard.used = 0; /* keys not yet read are dropped */
        c->state.scanning = value != SCAN_OFF;
        put(&c->state.keyboard, ACK);
        break;
    default:
        put(&c->state.keyboard, RESEND);
        break;
    }
}

static enum verdict write_data(struct i8042 *c, uint8_t value)
{
    uint8_t command = c->state.command;

    c->state.command = 0;
    if (command != 0)
        return complete(c, command, value);
    order_keyboard(c, value);
    return VERDICT_RESUME;
}

/* Reading an empty buffer gives the last byte again. */
static uint8_t read_data(struct i8042 *c)
{
    c->state.full = false;
    return c->state.output;
}

static uint8_t read_status(const struct i8042 *c)
{
    return STATUS_UNLOCKED | (c->state.full ? STATUS_OUTPUT : 0) |
           (c->state.last_was_command ? STATUS_COMMAND : 0) |
           (c->state.ram[CONFIG] & CONFIG_SYSTEM ? STATUS_SYSTEM : 0);
}

static enum verdict data_access(void *device, struct bus_access *access)
{
    struct i8042 *c = device;
    enum verdict verdict = VERDICT_RESUME;
    uint8_t byte;

    lock_take(&c->lock);
    if (access->write) {
        c->state.last_was_command = false;
        verdict = write_data(c, access->data[0]);
    } else {
        byte = read_data(c);
        access->data[0] = byte;
    }
    refill(c);
    lock_release(&c->lock);
    return verdict;
}

static enum verdict command_access(void *device, struct bus_access *access)
{
    struct i8042 *c = device;
    enum verdict verdict = VERDICT_RESUME;

    lock_take(&c->lock);
    if (access->write) {
        c->state.last_was_command = true;
        verdict = obey(c, access->data[0]);
        refill(c);
    } else {
        access->data[0] = read_status(c);
    }
    lock_release(&c->lock);
    return verdict;
}

static const struct i8042_state at_power_on = {
    .ram[CONFIG] = CONFIG_MOUSE_OFF | CONFIG_SYSTEM | CONFIG_TRANSLATE, .scanning = true};

static const char *const output_name[] = {"output"}, *const input_name[] = {"input"};
static const char *const status_name[] = {"status"}, *const command_name[] = {"command"};
static const struct bus_registers data_registers = {.read = BUS_NAMES(output_name),
                                                    .written = BUS_NAMES(input_name)};
static const struct bus_registers command_registers = {.read = BUS_NAMES(status_name),
                                                       .written = BUS_NAMES(command_name)};

static bool is_queue(const struct i8042_queue *q)
{
    return q->head < I8042_QUEUE_SIZE && q->used <= I8042_QUEUE_SIZE;
}

static bool is_sound(const void *saved)
{
    struct i8042_state s;

    memcpy(&s, saved, sizeof s);
    return is_queue(&s.replies) && is_queue(&s.keyboard) && s.full <= 1 && s.scanning <= 1 &&
           s.last_was_command <= 1;
}

static void restore_line(void *device)
{
    struct i8042 *c = device;

    irq_restore(&c->irq, c->state.full && (c->state.ram[CONFIG] & CONFIG_IRQ));
}

static const struct bus_state state = {.version = 1,
                                       BUS_STATE_OF(struct i8042),
                                       .at_power_on = &at_power_on,
                                       .is_sound = is_sound,
                                       .told = restore_line};

const struct bus_ops i8042_data_ops = {.name = "keyboard data",
                                       .registers = &data_registers,
                                       .width = 1,
                                       .access = data_access,
                                       .state = &state};
const struct bus_ops i8042_command_ops = {.name = "keyboard control",
                                          .registers = &command_registers,
                                          .width = 1,
                                          .access = command_access};

void i8042_init(struct i8042 *controller, const struct backend *backend, struct irq_line irq)
{
    *controller = (struct i8042){.backend = backend, .irq = irq, .state = at_power_on};
    lock_init(&controller->lock);
}

static void put_key(struct i8042 *c, uint8_t code)
{
    uint8_t key = code & (uint8_t)~RELEASED;

    if ((c->state.ram[CONFIG] & CONFIG_TRANSLATE) || code == EXTENDED || key >= sizeof set_2) {
        put(&c->state.keyboard, code);
        return;
    }
    if (code & RELEASED)
        put(&c->state.keyboard, BREAK);
    put(&c->state.keyboard, set_2[key]);
}

bool i8042_press(struct i8042 *controller, const uint8_t *codes, size_t count)
{
    bool taken;

    lock_take(&controller->lock);
    /* A code has at most two bytes. In practice there is always room for answers to the guest. */
    taken = controller->state.scanning && count <= I8042_QUEUE_SIZE &&
            controller->state.keyboard.used + 2 * count <= I8042_QUEUE_SIZE;
    for (size_t i = 0; taken && i < count; i++)
        put_key(controller, codes[i]);
    refill(controller);
    lock_release(&controller->lock);
    return taken;
}
