/* The command line; see options.h. Options may be anywhere and take `--x=v` and `--x v`
 * (getopt_long). */
#include "options/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "options/devices.h"
#include "options/names.h"

static int parse_memory(struct options *o, const char *text, struct error *error)
{
    if (!options_parse_size(text, &o->guests[0].memory) || o->guests[0].memory == 0)
        return error_set(error, "-m %s: not a size (try 64M)", text);
    if (o->guests[0].memory % PAGE_SIZE != 0)
        return error_set(error, "-m %s: not a multiple of 4K", text);
    if (o->guests[0].memory > 64 * GIB)
        return error_set(error, "-m %s: more than 64G", text);
    return 0;
}

static int parse_load(struct options *o, const char *text, struct error *error)
{
    o->guests[0].has_load = true;
    return options_parse_size(text, &o->guests[0].load)
               ? 0
               : error_set(error, "--load %s: not an address", text);
}

static int parse_entry(struct options *o, const char *text, struct error *error)
{
    o->guests[0].has_entry = true;
    return options_parse_size(text, &o->guests[0].entry)
               ? 0
               : error_set(error, "--entry %s: not an address", text);
}

static int parse_input(struct options *o, const char *text, struct error *error)
{
    uint64_t value;
    char *end;

    if (!options_parse_number(text, &value, &end) || *end != '\0' || value >= GUESTS_MAX)
        return error_set(error, "--input %s: not a guest (0 to %d)", text, GUESTS_MAX - 1);
    o->input = (unsigned)value;
    return 0;
}

static int parse_cpus(struct options *o, const char *text, struct error *error)
{
    uint64_t value;
    char *end;

    if (!options_parse_number(text, &value, &end) || *end != '\0' || value == 0 || value > CPUS_MAX)
        return error_set(error, "-c %s: not a number of vCPUs (1 to %d)", text, CPUS_MAX);
    o->guests[0].cpus = (unsigned)value;
    return 0;
}

static int add_initrd(struct options *o, const char *path, struct error *error)
{
    if (o->guests[0].initrd_count == INITRDS_MAX)
        return error_set(error, "--initrd %s: at most %d ramdisks", path, INITRDS_MAX);
    o->guests[0].initrds[o->guests[0].initrd_count++] = path;
    return 0;
}

static int parse_bios(struct options *o, const char *path, struct error *error)
{
    if (*path == '\0')
        return error_set(error, "--bios: the name of a file is missing");
    o->guests[0].bios = true;
    o->guests[0].image = path;
    return 0;
}

static int add_fw_file(struct options *o, const char *text, struct error *error)
{
    const char *mark = strchr(text, '=');

    if (mark == NULL || mark == text || mark[1] == '\0')
        return error_set(error, "--fw-cfg %s: expected NAME=FILE", text);
    if (mark - text > FW_NAME_MAX)
        return error_set(error, "--fw-cfg %s: the name has more than %d bytes", text, FW_NAME_MAX);
    if (o->guests[0].fw_file_count == FW_FILES_MAX)
        return error_set(error, "--fw-cfg %s: at most %d files", text, FW_FILES_MAX);
    o->guests[0].fw_files[o->guests[0].fw_file_count++] = text;
    return 0;
}

static int parse_max_exits(struct options *o, const char *text, struct error *error)
{
    char *end;

    if (!options_parse_number(text, &o->guests[0].max_exits, &end) || *end != '\0' ||
        o->guests[0].max_exits == 0)
        return error_set(error, "--max-exits %s: not a number above 0", text);
    return 0;
}

static int parse_forks(struct options *o, const char *text, struct error *error)
{
    uint64_t value;
    char *end;

    if (!options_parse_number(text, &value, &end) || *end != '\0' || value == 0 ||
        value > FORKS_MAX)
        return error_set(error, "--forks %s: not a number of copies (1 to %d)", text, FORKS_MAX);
    o->forks = (unsigned)value;
    return 0;
}

static int parse_log_size(struct options *o, const char *text, struct error *error)
{
    if (!options_parse_size(text, &o->log_size) || o->log_size == 0 || o->log_size > LOG_SIZE_MAX)
        return error_set(error, "--log-size %s: not a number of exits (1 to %d)", text,
                         LOG_SIZE_MAX);
    return 0;
}

static int parse_timeout(struct options *o, const char *text, struct error *error)
{
    return options_parse_time("--timeout", text, &o->timeout, error);
}

static int refuse_report(struct options *o, const char *text, struct error *error)
{
    (void)o;
    return error_set(error,
                     "--report %s: the page is made from a log of the run: "
                     "--log FILE.json, then tools/report FILE.json %s",
                     text, text);
}

/* What an option does: the first kinds take no value. */
enum kind {
    FLAG,   /* makes a bool true */
    MODE,   /* asks for the mode `value` */
    ACTION, /* asks for the action `value` */
    TEXT,   /* keeps its text */
    WORD,   /* takes one of a few words, in the order of the enum they stand for */
    YES,    /* of two words the second makes a bool true */
    PARSE,  /* anything else: its function reads the text */
};

/* The names are in the table instead of the program's string constants: getopt_long compares them
 * at each start, and would touch pages that are otherwise not needed. */
struct spec {
    char name[14]; /* "": it has only a letter */
    char letter;   /* 0: it has only a name */
    enum kind kind;
    size_t field;
    const char *words[5];
    int value;
    int (*parse)(struct options *o, const char *text, struct error *error);
};

#define RUN(member)   .field = offsetof(struct options, member)
#define GUEST(member) .field = offsetof(struct options, guests[0].member)

static const struct spec specs[] = {
    {"real-mode", 0, MODE, .value = MODE_REAL},
    {"protected", 'p', MODE, .value = MODE_PROTECTED},
    {"paging", 'p', MODE, .value = MODE_PROTECTED},
    {"long-mode", 'l', MODE, .value = MODE_LONG},
    {"memory", 'm', PARSE, .parse = parse_memory},
    {"load", 0, PARSE, .parse = parse_load},
    {"entry", 0, PARSE, .parse = parse_entry},
    {"no-paging", 0, FLAG, GUEST(no_paging)},
    {"mmio", 0, WORD, GUEST(mmio), .words = {"default", "stop", "ignore"}},
    {"disk", 0, PARSE, .parse = devices_parse_disk},
    {"share", 0, PARSE, .parse = devices_parse_share},
    {"rng", 0, FLAG, GUEST(rng)},
    {"balloon", 0, FLAG, GUEST(balloon)},
    {"vsock", 0, PARSE, .parse = devices_parse_vsock},
    {"pvpanic", 0, FLAG, GUEST(pvpanic)},
    {"watchdog", 0, WORD, GUEST(watchdog), .words = {"none", "reset", "off", "stop"}},
    {"irqchip", 0, YES, GUEST(own_irqchip), .words = {"kvm", "vmm"}},
    {"net", 0, PARSE, .parse = devices_parse_net},
    {"console", 0, PARSE, .parse = devices_parse_console},
    {"port", 0, PARSE, .parse = devices_parse_port},
    {"input", 0, PARSE, .parse = parse_input},
    {"serial", 0, PARSE, .parse = devices_parse_serial},
    {"bios", 0, PARSE, .parse = parse_bios},
    {"debugcon", 0, TEXT, GUEST(debugcon)},
    {"eof", 0, YES, GUEST(no_ctrl_d), .words = {"ctrl-d", "none"}},
    {"max-exits", 0, PARSE, .parse = parse_max_exits},
    {"forks", 0, PARSE, .parse = parse_forks},
    {"timeout", 0, PARSE, .parse = parse_timeout},
    {"color", 0, WORD, RUN(color), .words = {"auto", "always", "never"}},
    {"display", 0, YES, GUEST(text_screen), .words = {"none", "text"}},
    {"verbose", 'v', FLAG, RUN(verbose)},
    {"stats", 0, FLAG, RUN(stats)},
    {"explain", 0, FLAG, RUN(explain)},
    {"log", 0, TEXT, RUN(log)},
    {"log-size", 0, PARSE, .parse = parse_log_size},
    {"report", 0, PARSE, .parse = refuse_report},
    {"record", 0, TEXT, RUN(record)},
    {"replay", 0, TEXT, RUN(replay)},
    {"symbols", 0, TEXT, RUN(symbols)},
    {"gdb", 0, TEXT, RUN(gdb)},
    {"", 'S', FLAG, RUN(wait)},
    {"control", 0, TEXT, RUN(control)},
    {"restore", 0, TEXT, RUN(restore)},
    {"sandbox", 0, WORD, RUN(sandbox), .words = {"on", "learn"}},
    {"no-sandbox", 0, FLAG, RUN(no_sandbox)},
    {"kvm", 0, TEXT, GUEST(kvm)},
    {"append", 0, TEXT, GUEST(append)},
    {"cpus", 'c', PARSE, .parse = parse_cpus},
    {"initrd", 0, PARSE, .parse = add_initrd},
    {"virtio", 0, WORD, GUEST(virtio), .words = {"default", "mmio", "pci"}},
    {"machine", 0, YES, GUEST(testdev), .words = {"pc", "testdev"}},
    {"fw-cfg", 0, PARSE, .parse = add_fw_file},
    {"kernel-entry", 0, WORD, GUEST(kernel_entry), .words = {"auto", "pvh", "64", "32"}},
    {"reboot", 0, FLAG, GUEST(reboot)},
    {"boot-report", 0, FLAG, RUN(boot_report)},
    {"help", 'h', ACTION, .value = OPTIONS_HELP},
    {"version", 0, ACTION, .value = OPTIONS_VERSION},
};

enum {
    SPECS = sizeof specs / sizeof specs[0],
    BY_NAME = 256
}; /* codes: a letter, or BY_NAME + i */

/* Makes the table for getopt_long. */
static void list_names(struct option names[SPECS + 1])
{
    unsigned count = 0;

    for (int i = 0; i < SPECS; i++)
        if (specs[i].name[0] != '\0')
            names[count++] =
                (struct option){.name = specs[i].name,
                                .has_arg = specs[i].kind >= TEXT,
                                .val = specs[i].letter != 0 ? specs[i].letter : BY_NAME + i};
    names[count] = (struct option){0};
}

static const struct spec *spec_of(int code)
{
    unsigned i = 0;

    if (code >= BY_NAME)
        return &specs[code - BY_NAME];
    while (specs[i].letter != code)
        i++;
    return &specs[i];
}

_Static_assert(sizeof(enum mmio_policy) == sizeof(unsigned), "a WORD is stored so");

static int refuse_word(const struct spec *spec, const char *text, struct error *error)
{
    char words[64] = "";

    for (unsigned i = 0; spec->words[i] != NULL; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s",
                 i == 0                       ? ""
                 : spec->words[i + 1] == NULL ? " or "
                                              : ", ",
                 spec->words[i]);
    return error_set(error, "--%s %s: expected %s", spec->name, text, words);
}

static int take_word(const struct spec *spec, void *field, const char *text, struct error *error)
{
    unsigned i = 0;

    while (spec->words[i] != NULL && strcmp(text, spec->words[i]) != 0)
        i++;
    if (spec->words[i] == NULL)
        return refuse_word(spec, text, error);
    if (spec->kind == YES)
        *(bool *)field = i == 1;
    else
        memcpy(field, &i, sizeof i);
    return 0;
}

static int take(struct options *o, const struct spec *spec, const char *text, struct error *error)
{
    void *field = (char *)o + spec->field;

    switch (spec->kind) {
    case FLAG:
        *(bool *)field = true;
        return 0;
    case MODE:
        if (o->guests[0].mode != MODE_BY_CONTENT && (int)o->guests[0].mode != spec->value)
            return error_set(error, "--real-mode, -p and -l exclude each other");
        o->guests[0].mode = (enum guest_mode)spec->value;
        return 0;
    case ACTION:
        o->action = (enum options_action)spec->value;
        return 0;
    case TEXT:
        *(const char **)field = text;
        return 0;
    case WORD:
    case YES:
        return take_word(spec, field, text, error);
    default:
        return spec->parse(o, text, error);
    }
}

/* The snapshot describes the machine, so most options that describe one are refused. */
static int take_restore(struct options *o, int argc, struct error *error)
{
    static const struct guest_config plain;
    struct guest_config g = o->guests[0];

    if (argc > 0)
        return error_set(error, "--restore %s takes no image: the snapshot has the guest",
                         o->restore);
    g.kvm = NULL;
    g.no_ctrl_d = g.text_screen = g.reboot = false;
    g.serial = SERIAL_STDIO;
    g.serial_path = g.debugcon = NULL;
    g.max_exits = 0;
    memset(g.ports, 0, sizeof g.ports);
    memset(g.nets, 0, sizeof g.nets);
    memset(g.shares, 0, sizeof g.shares);
    g.port_count = g.net_count = g.share_count = 0;
    if (memcmp(&g, &plain, sizeof g) != 0)
        return error_set(
            error,
            "--restore %s: the snapshot describes the machine; only --serial, --eof, --display, "
            "--console, --port, --net, --share, --reboot and --max-exits may change it",
            o->restore);
    o->guests[0].debugged = o->gdb != NULL;
    o->guests[0].image = o->restore; /* until it is read */
    o->count = 1;
    return o->input == 0 ? 0
                         : error_set(error, "--input %u: there is no guest %u", o->input, o->input);
}

static int take_images(struct options *o, int argc, char **argv, struct error *error)
{
    bool bios = o->guests[0].bios;

    if (o->restore != NULL)
        return take_restore(o, argc, error);
    if (argc == 0 && !bios)
        return error_set(error, "no guest image given");
    if (argc > GUESTS_MAX)
        return error_set(error, "%d guests given; at most %d can run at once", argc, GUESTS_MAX);
    o->guests[0].debugged = o->gdb != NULL;
    for (int i = 0; i < argc || (bios && i == 0); i++) {
        o->guests[i] = o->guests[0];
        o->count++;
        if (!bios)
            o->guests[i].image = argv[i];
        else
            o->guests[i].kernel = i < argc ? argv[i] : NULL;
    }
    if (o->input >= o->count)
        return error_set(error, "--input %u: there is no guest %u", o->input, o->input);
    if (o->guests[0].text_screen && o->count > 1)
        return error_set(error, "--display text shows one guest, not %u", o->count);
    if (o->log_size != 0 && o->log == NULL)
        return error_set(error, "--log-size needs --log");
    if (o->guests[0].no_paging && o->guests[0].mode != MODE_PROTECTED)
        return error_set(error, "--no-paging needs -p");
    return 0;
}

/* The recorder checks the machine itself: watch/travel/recorder.c. */
static int check_recording(const struct options *o, struct error *error)
{
    const char *option = o->record != NULL ? "--record" : "--replay";

    if (o->record == NULL && o->replay == NULL)
        return 0;
    if (o->record != NULL && o->replay != NULL)
        return error_set(error, "--record and --replay exclude each other");
    if (o->count > 1)
        return error_set(error, "%s takes one guest, not %u", option, o->count);
    if (o->restore != NULL || o->guests[0].reboot)
        return error_set(error,
                         "%s and %s exclude each other: the guest must start once, from its image",
                         option, o->restore != NULL ? "--restore" : "--reboot");
    return 0;
}

static int check_forks(const struct options *o, struct error *error)
{
    if (o->forks != 0 && (o->count > 1 || o->guests[0].reboot))
        return error_set(
            error, "--forks and %s exclude each other: the guest must be alone and start once",
            o->count > 1 ? "several guests" : "--reboot");
    return 0;
}

/* The endpoints of the last guest, whose names are the longest, are checked before anything starts,
 * so that a typing error ends no guest. */
static int check_endpoints(const struct options *o, struct error *error)
{
    const struct guest_config *guest = &o->guests[0];
    struct endpoint ignored;

    if (guest->serial == SERIAL_UNIX &&
        endpoint_unix(&ignored, "--serial", guest->serial_path, o->count - 1, error) < 0)
        return -1;
    for (unsigned i = 0; i < guest->port_count; i++)
        if (guest->ports[i].kind == SERIAL_UNIX &&
            endpoint_unix(&ignored, "--port", guest->ports[i].path, o->count - 1, error) < 0)
            return -1;
    if (o->control != NULL && strncmp(o->control, "unix:", 5) == 0 &&
        endpoint_unix(&ignored, "--control", o->control + 5, 0, error) < 0)
        return -1;
    if (o->wait && o->gdb == NULL)
        return error_set(error, "-S needs --gdb");
    return o->gdb == NULL ? 0 : endpoint_parse(&ignored, o->gdb, o->count - 1, error);
}

/* -m 2G, -m2G, or several letters, of which the last may have a value. */
static unsigned words_of_letters(const char *letters)
{
    for (; *letters != '\0'; letters++) {
        int i = 0;

        while (i < SPECS && specs[i].letter != *letters)
            i++;
        if (i == SPECS)
            return 0;
        if (specs[i].kind >= TEXT)
            return letters[1] == '\0' ? 2 : 1;
    }
    return 1;
}

unsigned options_words(const char *word)
{
    size_t length = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;

    if (length == 0)
        return word[0] == '-' && word[1] != '\0' && word[1] != '-' ? words_of_letters(word + 1) : 0;
    for (int i = 0; i < SPECS; i++)
        if (strlen(specs[i].name) == length && memcmp(specs[i].name, word + 2, length) == 0)
            return specs[i].kind >= TEXT && word[2 + length] == '\0' ? 2 : 1;
    return 0;
}

const char *options_name(unsigned i)
{
    return i < SPECS ? specs[i].name : NULL;
}

static const char letters[] = ":plm:c:vhS";

/* `word`: the one before getopt's next, which need not be the one with the letter. */
static int refuse(const char *word, struct error *error)
{
    if (optopt != 0 && optopt < BY_NAME && strchr(letters, optopt) == NULL)
        return error_set(error, "no such option: -%c", optopt);
    return names_refuse(word, options_name, error);
}

int options_parse(struct options *options, int argc, char **argv, struct error *error)
{
    static const char device[] = "/dev/kvm"; /* an array: not merged with another string */
    struct option names[SPECS + 1];
    int code, index = -1;

    *options = (struct options){.guests[0].kvm = device};
    list_names(names);
    optind = 0; /* start again: this may be the second command line of a test */
    opterr = 0;
    for (; (code = getopt_long(argc, argv, letters, names, &index)) != -1; index = -1) {
        bool apart = optarg != NULL && optarg == argv[optind - 1]; /* it is a word */

        if (code == ':')
            return error_set(error, "%s needs a value", argv[optind - 1]);
        if (code == '?')
            return refuse(argv[optind - 1], error);
        if (index >= 0 &&
            names_check(argv[optind - 1 - apart], names[index].name, options_name, error) < 0)
            return -1;
        if (apart && strcmp(optarg, "--") == 0)
            return error_set(error, "%s needs a value (-- ends the options)", argv[optind - 2]);
        if (take(options, spec_of(code), optarg, error) < 0)
            return -1;
        if (options->action != OPTIONS_RUN)
            return 0;
    }
    if (take_images(options, argc - optind, argv + optind, error) < 0)
        return -1;
    if (check_recording(options, error) < 0 || check_forks(options, error) < 0)
        return -1;
    return check_endpoints(options, error);
}
