/* The command line; see options.h. Options may stand anywhere and take `--x=v` and `--x v`
 * (getopt_long). */
#include "options/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"

enum {
    OPT_REAL = 256,
    OPT_LOAD,
    OPT_ENTRY,
    OPT_NO_PAGING,
    OPT_MMIO,
    OPT_INPUT,
    OPT_EOF,
    OPT_SERIAL,
    OPT_MAX_EXITS,
    OPT_TIMEOUT,
    OPT_COLOR,
    OPT_DISPLAY,
    OPT_STATS,
    OPT_EXPLAIN,
    OPT_LOG,
    OPT_LOG_SIZE,
    OPT_REPORT,
    OPT_SYMBOLS,
    OPT_KVM,
    OPT_GDB,
    OPT_APPEND,
    OPT_INITRD,
    OPT_KERNEL_ENTRY,
    OPT_REBOOT,
    OPT_BOOT_REPORT,
    OPT_VERSION,
};

static const struct option long_options[] = {
    {"real-mode", no_argument, NULL, OPT_REAL},
    {"protected", no_argument, NULL, 'p'},
    {"paging", no_argument, NULL, 'p'},
    {"long-mode", no_argument, NULL, 'l'},
    {"memory", required_argument, NULL, 'm'},
    {"load", required_argument, NULL, OPT_LOAD},
    {"entry", required_argument, NULL, OPT_ENTRY},
    {"no-paging", no_argument, NULL, OPT_NO_PAGING},
    {"mmio", required_argument, NULL, OPT_MMIO},
    {"input", required_argument, NULL, OPT_INPUT},
    {"serial", required_argument, NULL, OPT_SERIAL},
    {"eof", required_argument, NULL, OPT_EOF},
    {"max-exits", required_argument, NULL, OPT_MAX_EXITS},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"color", required_argument, NULL, OPT_COLOR},
    {"display", required_argument, NULL, OPT_DISPLAY},
    {"verbose", no_argument, NULL, 'v'},
    {"stats", no_argument, NULL, OPT_STATS},
    {"explain", no_argument, NULL, OPT_EXPLAIN},
    {"log", required_argument, NULL, OPT_LOG},
    {"log-size", required_argument, NULL, OPT_LOG_SIZE},
    {"report", required_argument, NULL, OPT_REPORT},
    {"symbols", required_argument, NULL, OPT_SYMBOLS},
    {"gdb", required_argument, NULL, OPT_GDB},
    {"kvm", required_argument, NULL, OPT_KVM},
    {"append", required_argument, NULL, OPT_APPEND},
    {"cpus", required_argument, NULL, 'c'},
    {"initrd", required_argument, NULL, OPT_INITRD},
    {"kernel-entry", required_argument, NULL, OPT_KERNEL_ENTRY},
    {"reboot", no_argument, NULL, OPT_REBOOT},
    {"boot-report", no_argument, NULL, OPT_BOOT_REPORT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static bool parse_number(const char *text, uint64_t *value, char **end)
{
    if (*text < '0' || *text > '9') /* strtoull would take a sign and blanks */
        return false;
    errno = 0;
    *value = strtoull(text, end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
    return errno == 0;
}

bool options_parse_size(const char *text, uint64_t *size)
{
    static const char suffixes[] = "kmg";
    const char *suffix;
    char *end;

    if (!parse_number(text, size, &end))
        return false;
    if (*end != '\0' && (suffix = strchr(suffixes, *end | 0x20)) != NULL && *suffix != '\0') {
        unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);

        if (*size > UINT64_MAX >> shift)
            return false;
        *size <<= shift;
        end++;
    }
    return *end == '\0';
}

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

static int parse_address(const char *name, const char *text, uint64_t *value, struct error *error)
{
    if (!options_parse_size(text, value))
        return error_set(error, "%s %s: not an address", name, text);
    return 0;
}

static int parse_input(struct options *o, const char *text, struct error *error)
{
    uint64_t value;
    char *end;

    if (!parse_number(text, &value, &end) || *end != '\0' || value >= GUESTS_MAX)
        return error_set(error, "--input %s: not a guest (0 to %d)", text, GUESTS_MAX - 1);
    o->input = (unsigned)value;
    return 0;
}

static int parse_serial(struct options *o, const char *text, struct error *error)
{
    static const struct {
        const char *word;
        enum serial_kind kind;
    } kinds[] = {{"stdio", SERIAL_STDIO},
                 {"pty", SERIAL_PTY},
                 {"file:", SERIAL_FILE},
                 {"unix:", SERIAL_UNIX}};
    bool taken = false;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !taken; i++) {
        const char *path = text + strlen(kinds[i].word);
        bool has_path = kinds[i].kind == SERIAL_FILE || kinds[i].kind == SERIAL_UNIX;

        taken =
            strncmp(text, kinds[i].word, strlen(kinds[i].word)) == 0 && (*path != '\0') == has_path;
        o->guests[0].serial = kinds[i].kind;
        o->guests[0].serial_path = has_path ? path : NULL;
    }
    return taken
               ? 0
               : error_set(error, "--serial %s: stdio, pty, file:PATH or unix:PATH is meant", text);
}

static int parse_cpus(struct options *o, const char *text, struct error *error)
{
    uint64_t value;
    char *end;

    if (!parse_number(text, &value, &end) || *end != '\0' || value == 0 || value > CPUS_MAX)
        return error_set(error, "-c %s: not a number of vCPUs (1 to %d)", text, CPUS_MAX);
    o->guests[0].cpus = (unsigned)value;
    return 0;
}

static int add_initrd(struct options *o, const char *path, struct error *error)
{
    if (o->guests[0].initrd_count == INITRDS_MAX)
        return error_set(error, "--initrd %s: more than %d", path, INITRDS_MAX);
    o->guests[0].initrds[o->guests[0].initrd_count++] = path;
    return 0;
}

static int parse_max_exits(struct options *o, const char *text, struct error *error)
{
    char *end;

    if (!parse_number(text, &o->guests[0].max_exits, &end) || *end != '\0' ||
        o->guests[0].max_exits == 0)
        return error_set(error, "--max-exits %s: not a number above 0", text);
    return 0;
}

static int parse_log_size(struct options *o, const char *text, struct error *error)
{
    if (!options_parse_size(text, &o->log_size) || o->log_size == 0 || o->log_size > LOG_SIZE_MAX)
        return error_set(error, "--log-size %s: not a number of exits (1 to %d)", text,
                         LOG_SIZE_MAX);
    return 0;
}

/* A number with a unit behind it; seconds without one. */
static int parse_timeout(struct options *o, const char *text, struct error *error)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e9},  {"ns", 1},   {"us", 1e3},   {"ms", 1e6},
                 {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {NULL, 0}};
    unsigned unit = 0;
    char *end;
    double ns = strtod(text, &end);

    while (end != text && units[unit].name != NULL && strcmp(end, units[unit].name) != 0)
        unit++;
    ns *= units[unit].ns;
    if (strspn(text, "0123456789.") == 0 || text[strspn(text, "0")] == 'x' || end == text ||
        units[unit].name == NULL || !isfinite(ns) || ns <= 0)
        return error_set(error, "--timeout %s: not a time above 0 (8, 2.5s, 300ms, 10m, 1h)", text);
    if (ns < 1 || ns > 1e18)
        return error_set(error, "--timeout %s: not between a nanosecond and 30 years", text);
    o->timeout = (uint64_t)ns;
    return 0;
}

static int set_mode(struct options *o, enum guest_mode mode, struct error *error)
{
    if (o->guests[0].mode != MODE_BY_CONTENT && o->guests[0].mode != mode)
        return error_set(error, "--real-mode, -p and -l exclude each other");
    o->guests[0].mode = mode;
    return 0;
}

/* Options that say yes, and options whose text is kept as it is. */
struct option_place {
    int option;
    size_t field; /* in struct options */
};

static const struct option_place flags[] = {
    {OPT_NO_PAGING, offsetof(struct options, guests[0].no_paging)},
    {'v', offsetof(struct options, verbose)},
    {OPT_STATS, offsetof(struct options, stats)},
    {OPT_EXPLAIN, offsetof(struct options, explain)},
    {OPT_REBOOT, offsetof(struct options, guests[0].reboot)},
    {'S', offsetof(struct options, wait)},
    {OPT_BOOT_REPORT, offsetof(struct options, boot_report)},
};

static const struct option_place texts[] = {
    {OPT_LOG, offsetof(struct options, log)},
    {OPT_SYMBOLS, offsetof(struct options, symbols)},
    {OPT_APPEND, offsetof(struct options, guests[0].append)},
    {OPT_GDB, offsetof(struct options, gdb)},
    {OPT_KVM, offsetof(struct options, guests[0].kvm)},
};

/* true: the option was one of those. */
static bool take_simple(struct options *o, int option, const char *value)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (flags[i].option == option) {
            *(bool *)((char *)o + flags[i].field) = true;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].option == option) {
            *(const char **)((char *)o + texts[i].field) = value;
            return true;
        }
    }
    return false;
}

/* Options that take one of a few words: in the order of the enum they stand for, or no and yes. */
struct option_choice {
    int option;
    const char *name;
    const char *words[5];
    size_t field; /* in struct options */
    bool yes;     /* a bool, where the others are enums */
};

static const struct option_choice choices[] = {
    {OPT_MMIO,
     "--mmio",
     {"default", "stop", "ignore"},
     offsetof(struct options, guests[0].mmio),
     false},
    {OPT_COLOR, "--color", {"auto", "always", "never"}, offsetof(struct options, color), false},
    {OPT_KERNEL_ENTRY,
     "--kernel-entry",
     {"auto", "pvh", "64", "32"},
     offsetof(struct options, guests[0].kernel_entry),
     false},
    {OPT_DISPLAY,
     "--display",
     {"none", "text"},
     offsetof(struct options, guests[0].text_screen),
     true},
    {OPT_EOF, "--eof", {"ctrl-d", "none"}, offsetof(struct options, guests[0].no_ctrl_d), true},
};

static int take_word(struct options *o, const struct option_choice *choice, const char *text,
                     struct error *error)
{
    char *field = (char *)o + choice->field;
    unsigned i = 0;

    while (choice->words[i] != NULL && strcmp(text, choice->words[i]) != 0)
        i++;
    if (choice->words[i] == NULL)
        return error_set(error, "%s %s: not one of those that --help names", choice->name, text);
    if (choice->yes)
        *(bool *)field = i == 1;
    else
        memcpy(field, &i, sizeof i); /* enums are as wide: they have no negative value */
    return 0;
}

/* 1: the option takes no such word. */
static int take_choice(struct options *o, int option, const char *text, struct error *error)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (choices[i].option == option)
            return take_word(o, &choices[i], text, error);
    return 1;
}

_Static_assert(sizeof(enum mmio_policy) == sizeof(unsigned), "take_word stores them so");

static int parse_one(struct options *o, int option, const char *value, struct error *error)
{
    int taken = take_choice(o, option, value, error);

    if (taken <= 0)
        return taken;
    switch (option) {
    case OPT_REAL:
        return set_mode(o, MODE_REAL, error);
    case 'p':
        return set_mode(o, MODE_PROTECTED, error);
    case 'l':
        return set_mode(o, MODE_LONG, error);
    case 'm':
        return parse_memory(o, value, error);
    case OPT_LOAD:
        o->guests[0].has_load = true;
        return parse_address("--load", value, &o->guests[0].load, error);
    case OPT_ENTRY:
        o->guests[0].has_entry = true;
        return parse_address("--entry", value, &o->guests[0].entry, error);
    case OPT_INPUT:
        return parse_input(o, value, error);
    case OPT_SERIAL:
        return parse_serial(o, value, error);
    case OPT_MAX_EXITS:
        return parse_max_exits(o, value, error);
    case OPT_TIMEOUT:
        return parse_timeout(o, value, error);
    case OPT_LOG_SIZE:
        return parse_log_size(o, value, error);
    case OPT_REPORT:
        return error_set(error,
                         "--report %s: the page is made from a log of the run: "
                         "--log FILE.json, then tools/report FILE.json %s",
                         value, value);
    case 'c':
        return parse_cpus(o, value, error);
    case OPT_INITRD:
        return add_initrd(o, value, error);
    case 'h':
        o->action = OPTIONS_HELP;
        return 0;
    default:
        o->action = OPTIONS_VERSION;
        return 0;
    }
}

static int take_images(struct options *o, int argc, char **argv, struct error *error)
{
    if (argc == 0)
        return error_set(error, "no guest image given");
    if (argc > GUESTS_MAX)
        return error_set(error, "%d guests given, %d at the most run side by side", argc,
                         GUESTS_MAX);
    o->guests[0].debugged = o->gdb != NULL;
    for (int i = 0; i < argc; i++) {
        o->guests[i] = o->guests[0];
        o->guests[o->count++].image = argv[i];
    }
    if (o->input >= o->count)
        return error_set(error, "--input %u: there is no guest %u", o->input, o->input);
    if (o->guests[0].text_screen && o->count > 1)
        return error_set(error, "--display text shows one guest, not %u", o->count);
    if (o->log_size != 0 && o->log == NULL)
        return error_set(error, "--log-size goes with --log");
    if (o->guests[0].no_paging && o->guests[0].mode != MODE_PROTECTED)
        return error_set(error, "--no-paging goes with -p");
    return 0;
}

/* What the last guest's clients would need is checked here, so that a typing error ends nothing. */
static int check_endpoints(const struct options *o, struct error *error)
{
    const struct guest_config *guest = &o->guests[0];
    struct endpoint ignored;

    if (guest->serial == SERIAL_UNIX &&
        endpoint_unix(&ignored, "--serial", guest->serial_path, o->count - 1, error) < 0)
        return -1;
    if (o->wait && o->gdb == NULL)
        return error_set(error, "-S goes with --gdb");
    return o->gdb == NULL ? 0 : endpoint_parse(&ignored, o->gdb, o->count - 1, error);
}

int options_parse(struct options *options, int argc, char **argv, struct error *error)
{
    int option;

    *options = (struct options){.guests[0].kvm = "/dev/kvm"};
    optind = 0; /* start anew: this may be the second command line of a test */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":plm:c:vhS", long_options, NULL)) != -1) {
        if (option == ':')
            return error_set(error, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return optopt != 0 && optopt < OPT_REAL && strncmp(argv[optind - 1], "--", 2) != 0
                       ? error_set(error, "no such option: -%c", optopt)
                       : error_set(error, "no such option, or a value too much: %s",
                                   argv[optind - 1]);
        if (!take_simple(options, option, optarg) && parse_one(options, option, optarg, error) < 0)
            return -1;
        if (options->action != OPTIONS_RUN)
            return 0;
    }
    if (take_images(options, argc - optind, argv + optind, error) < 0)
        return -1;
    return check_endpoints(options, error);
}
