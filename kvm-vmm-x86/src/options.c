/* The command line; see options.h. Options may stand anywhere and take `--x=v` and `--x v`
 * (getopt_long). */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
    "Usage: kvm-vmm [OPTION]... IMAGE [IMAGE]...\n"
    "Runs one to four guests side by side, each in a virtual machine of its own.\n"
    "\n"
    "How a guest starts (without a mode its content decides: a Linux kernel, ELF, or flat\n"
    "16-bit code)\n"
    "      --real-mode          16-bit: flat image at the start of the guest's window\n"
    "  -p, --protected, --paging\n"
    "                           32-bit: paging on, RAM mapped at 0 and at 0x80000000,\n"
    "                           image loaded at 0x1000 and entered at 0x80001000\n"
    "  -l, --long-mode          64-bit: ELF, or a flat image loaded and entered at 0x100000\n"
    "  -m, --memory SIZE        RAM of each guest (256K in real mode, 512M for Linux, else 64M)\n"
    "  -c, --cpus N             its vCPUs (1; up to 64)\n"
    "      --load ADDRESS       where a flat image is loaded\n"
    "      --entry ADDRESS      where it is entered\n"
    "      --no-paging          -p without paging\n"
    "\n"
    "Linux kernels (bzImage, vmlinux)\n"
    "      --initrd FILE        an initial ramdisk; several are joined\n"
    "      --append TEXT        the kernel's command line, behind what the VMM proposes:\n"
    "                           console=ttyS0 panic=-1 reboot=k,panic_warm; a parameter that\n"
    "                           TEXT names is not proposed (HLeOs takes TEXT as it is)\n"
    "      --kernel-entry pvh|64|32\n"
    "                           how it is entered (64, or 32 for a 32-bit kernel)\n"
    "      --reboot             a guest that reboots starts again instead of ending\n"
    "\n"
    "What it reaches\n"
    "      --mmio stop|ignore   an access outside its memory stops the guest (the default),\n"
    "                           or reads all ones\n"
    "      --input N            guest N has the input at first (0); Ctrl-A n passes it on\n"
    "      --eof ctrl-d|none    how the UART shows the end of piped input (ctrl-d)\n"
    "\n"
    "When it ends\n"
    "      --max-exits N        stop a guest after N exits, with status 124\n"
    "      --timeout SECONDS    stop all guests after that time, with status 124\n"
    "\n"
    "What you see\n"
    "      --color auto|always|never\n"
    "                           each guest's output in its colour (auto: on a terminal)\n"
    "      --display text|none  the guest's text page and keyboard on the terminal, instead of\n"
    "                           its serial port (none)\n"
    "  -v, --verbose            a line for each exit\n"
    "      --stats              exits by kind, device and direction, and where time went\n"
    "\n"
    "      --kvm DEVICE         the KVM device (/dev/kvm)\n"
    "  -h, --help               this text\n"
    "      --version            the version\n"
    "\n"
    "At the terminal, while a guest reads: Ctrl-A x leaves, Ctrl-A n next guest, Ctrl-A h help.\n"
    "Status: 0 all ended well, 2 usage, 124 limit, 125 the VMM failed, 126 a guest crashed,\n"
    "128+N signal N, or what a guest wrote to port 0xf4 as (value << 1) | 1.\n";

enum {
    OPT_REAL = 256,
    OPT_LOAD,
    OPT_ENTRY,
    OPT_NO_PAGING,
    OPT_MMIO,
    OPT_INPUT,
    OPT_EOF,
    OPT_MAX_EXITS,
    OPT_TIMEOUT,
    OPT_COLOR,
    OPT_DISPLAY,
    OPT_STATS,
    OPT_KVM,
    OPT_APPEND,
    OPT_INITRD,
    OPT_KERNEL_ENTRY,
    OPT_REBOOT,
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
    {"eof", required_argument, NULL, OPT_EOF},
    {"max-exits", required_argument, NULL, OPT_MAX_EXITS},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"color", required_argument, NULL, OPT_COLOR},
    {"display", required_argument, NULL, OPT_DISPLAY},
    {"verbose", no_argument, NULL, 'v'},
    {"stats", no_argument, NULL, OPT_STATS},
    {"kvm", required_argument, NULL, OPT_KVM},
    {"append", required_argument, NULL, OPT_APPEND},
    {"cpus", required_argument, NULL, 'c'},
    {"initrd", required_argument, NULL, OPT_INITRD},
    {"kernel-entry", required_argument, NULL, OPT_KERNEL_ENTRY},
    {"reboot", no_argument, NULL, OPT_REBOOT},
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
    if (!options_parse_size(text, &o->memory) || o->memory == 0)
        return error_set(error, "-m %s: not a size (try 64M)", text);
    if (o->memory % PAGE_SIZE != 0)
        return error_set(error, "-m %s: not a multiple of 4K", text);
    if (o->memory > 64 * GIB)
        return error_set(error, "-m %s: more than 64G", text);
    return 0;
}

static int parse_address(const char *name, const char *text, uint64_t *value, struct error *error)
{
    if (!options_parse_size(text, value))
        return error_set(error, "%s %s: not an address", name, text);
    return 0;
}

/* One of a few words; their order is that of the enum the result is stored in. */
static int parse_word(const char *name, const char *text, const char *const words[], int *value,
                      struct error *error)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return 0;
        }
    }
    return error_set(error, "%s %s: not one of those that --help names", name, text);
}

static int parse_mmio(struct options *o, const char *text, struct error *error)
{
    static const char *const words[] = {"default", "stop", "ignore", NULL};
    int value = 0;

    if (parse_word("--mmio", text, words, &value, error) < 0)
        return -1;
    o->mmio = (enum mmio_policy)value;
    return 0;
}

static int parse_color(struct options *o, const char *text, struct error *error)
{
    static const char *const words[] = {"auto", "always", "never", NULL};
    int value = 0;

    if (parse_word("--color", text, words, &value, error) < 0)
        return -1;
    o->color = (enum color_policy)value;
    return 0;
}

static int parse_display(struct options *o, const char *text, struct error *error)
{
    static const char *const words[] = {"none", "text", NULL};
    int value = 0;

    if (parse_word("--display", text, words, &value, error) < 0)
        return -1;
    o->display_text = value == 1;
    return 0;
}

static int parse_eof(struct options *o, const char *text, struct error *error)
{
    static const char *const words[] = {"ctrl-d", "none", NULL};
    int value = 0;

    if (parse_word("--eof", text, words, &value, error) < 0)
        return -1;
    o->no_ctrl_d = value == 1;
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

static int parse_cpus(struct options *o, const char *text, struct error *error)
{
    uint64_t value;
    char *end;

    if (!parse_number(text, &value, &end) || *end != '\0' || value == 0 || value > CPUS_MAX)
        return error_set(error, "-c %s: not a number of vCPUs (1 to %d)", text, CPUS_MAX);
    o->cpus = (unsigned)value;
    return 0;
}

static int add_initrd(struct options *o, const char *path, struct error *error)
{
    if (o->initrd_count == INITRDS_MAX)
        return error_set(error, "--initrd %s: more than %d", path, INITRDS_MAX);
    o->initrds[o->initrd_count++] = path;
    return 0;
}

static int parse_kernel_entry(struct options *o, const char *text, struct error *error)
{
    static const char *const words[] = {"auto", "pvh", "64", "32", NULL};
    int value = 0;

    if (parse_word("--kernel-entry", text, words, &value, error) < 0)
        return -1;
    o->kernel_entry = (enum kernel_entry)value;
    return 0;
}

static int parse_max_exits(struct options *o, const char *text, struct error *error)
{
    char *end;

    if (!parse_number(text, &o->max_exits, &end) || *end != '\0' || o->max_exits == 0)
        return error_set(error, "--max-exits %s: not a number above 0", text);
    return 0;
}

static int parse_timeout(struct options *o, const char *text, struct error *error)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(seconds) || seconds <= 0 || seconds > 1e9)
        return error_set(error, "--timeout %s: not a number of seconds above 0", text);
    o->timeout = (uint64_t)(seconds * 1e9);
    return 0;
}

static int set_mode(struct options *o, enum guest_mode mode, struct error *error)
{
    if (o->mode != MODE_BY_CONTENT && o->mode != mode)
        return error_set(error, "--real-mode, -p and -l exclude each other");
    o->mode = mode;
    return 0;
}

static int parse_one(struct options *o, int option, const char *value, struct error *error)
{
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
        o->has_load = true;
        return parse_address("--load", value, &o->load, error);
    case OPT_ENTRY:
        o->has_entry = true;
        return parse_address("--entry", value, &o->entry, error);
    case OPT_NO_PAGING:
        o->no_paging = true;
        return 0;
    case OPT_MMIO:
        return parse_mmio(o, value, error);
    case OPT_INPUT:
        return parse_input(o, value, error);
    case OPT_EOF:
        return parse_eof(o, value, error);
    case OPT_MAX_EXITS:
        return parse_max_exits(o, value, error);
    case OPT_TIMEOUT:
        return parse_timeout(o, value, error);
    case OPT_COLOR:
        return parse_color(o, value, error);
    case OPT_DISPLAY:
        return parse_display(o, value, error);
    case 'v':
        o->verbose = true;
        return 0;
    case OPT_STATS:
        o->stats = true;
        return 0;
    case OPT_APPEND:
        o->append = value;
        return 0;
    case 'c':
        return parse_cpus(o, value, error);
    case OPT_INITRD:
        return add_initrd(o, value, error);
    case OPT_KERNEL_ENTRY:
        return parse_kernel_entry(o, value, error);
    case OPT_REBOOT:
        o->reboot = true;
        return 0;
    case OPT_KVM:
        o->kvm = value;
        return 0;
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
    for (int i = 0; i < argc; i++)
        o->images[o->guests++] = argv[i];
    if (o->input >= o->guests)
        return error_set(error, "--input %u: there is no guest %u", o->input, o->input);
    if (o->display_text && o->guests > 1)
        return error_set(error, "--display text shows one guest, not %u", o->guests);
    if (o->no_paging && o->mode != MODE_PROTECTED)
        return error_set(error, "--no-paging goes with -p");
    return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *error)
{
    int option;

    *options = (struct options){.kvm = "/dev/kvm"};
    optind = 0; /* start anew: this may be the second command line of a test */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":plm:c:vh", long_options, NULL)) != -1) {
        if (option == ':')
            return error_set(error, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return optopt != 0 && optopt < OPT_REAL && strncmp(argv[optind - 1], "--", 2) != 0
                       ? error_set(error, "no such option: -%c", optopt)
                       : error_set(error, "no such option, or a value too much: %s",
                                   argv[optind - 1]);
        if (parse_one(options, option, optarg, error) < 0)
            return -1;
        if (options->action != OPTIONS_RUN)
            return 0;
    }
    return take_images(options, argc - optind, argv + optind, error);
}
