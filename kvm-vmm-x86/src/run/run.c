/* `kvm-vmm run`; see run.h. */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/ports.h"
#include "host/files/files.h"
#include "host/terminal.h"
#include "options/options.h"
#include "run/check.h"
#include "run/each.h"
#include "run/junit.h"
#include "run/kernel.h"
#include "run/lab.h"
#include "run/ramdisk.h"
#include "run/request.h"
#include "session/fork.h"
#include "session/session.h"

/* `LEFT`: the status when the user stopped the machine, as if SIGKILL had ended the command. */
enum {
    LEFT = 137,
    LOG_SHOWN = 12,
    LINE_MAX_ = 400,
};

#define SCRIPT_MAX (UINT64_C(16) << 20)

static struct {
    struct run_request request;
    struct run_kernel kernel;
    struct options options;
    struct run_image image; /* of the root, if that is a disk */
    struct file script;
    char folder[PATH_MAX];
    const char *hidden[RUN_NAMES_MAX + 16];
    char hidden_paths[16][PATH_MAX];
    unsigned hidden_count;
    bool terminal; /* the command has one */
    bool progress; /* a progress line on the terminal must be cleared */
    bool ready;    /* the command has started */
    bool interrupted;
    bool mistake; /* the error is in the command line */
    int status;   /* the command's; -1: not known */
} run;

static int refuse(int status, const char *text)
{
    fprintf(stderr, "kvm-vmm run: %s\n", text);
    return status;
}

static void clear_progress(void)
{
    if (run.progress)
        fputs("\r\033[K", stderr);
    run.progress = false;
}

/* Handles a line from the guest's first process: initramfs/run/main.c. */
static void take_line(const char *line)
{
    char *text;
    long number;

    if (line[0] == 'f') {
        clear_progress();
        each_ready();
        return;
    }
    if (line[0] == 'r') {
        run.ready = true;
        clear_progress();
        ports_let_in();
        return;
    }
    number = strtol(line + 1, &text, 10);
    if ((line[0] != 'x' && line[0] != 'e') || number < 0 || number > 255 || run.status >= 0)
        return;
    run.status = (int)number;
    clear_progress();
    if (line[0] == 'e')
        fprintf(stderr, "kvm-vmm run: %.*s\n", LINE_MAX_, text + (*text == ' '));
}

/* The first signal goes to the command, the second ends the machine. */
static bool take_signal(int signal)
{
    char line[16];

    if (!run.ready || run.interrupted)
        return false;
    run.interrupted = true;
    snprintf(line, sizeof line, "s %d\n", signal);
    ports_send_control(line);
    return true;
}

/* --- the guest's configuration --- */

/* Lists the files to hide: in them other programs keep secrets that the user can read. */
static void list_hidden(void)
{
    static const char *const usual[] = {".ssh",
                                        ".gnupg",
                                        ".aws",
                                        ".netrc",
                                        ".mozilla",
                                        ".config/chromium",
                                        ".kube",
                                        ".password-store",
                                        ".config/google-chrome",
                                        ".docker",
                                        ".local/share/keyrings"};
    const char *home = getenv("HOME");

    for (size_t i = 0; home != NULL && i < sizeof usual / sizeof usual[0]; i++) {
        snprintf(run.hidden_paths[i], PATH_MAX, "%s/%s", home, usual[i]);
        run.hidden[run.hidden_count++] = run.hidden_paths[i];
    }
    for (unsigned i = 0; i < run.request.hidden_count; i++)
        run.hidden[run.hidden_count++] = run.request.hidden[i];
}

static void add_share(const char *path, size_t length, bool read_only, bool lasting)
{
    struct guest_config *guest = &run.options.guests[0];
    struct share_config *share = &guest->shares[guest->share_count];

    *share = (struct share_config){.path = path,
                                   .path_length = length,
                                   .read_only = read_only,
                                   .lasting = lasting,
                                   .hidden = run.hidden,
                                   .hidden_count = run.hidden_count};
    snprintf(share->tag, sizeof share->tag, "share%u", guest->share_count++);
}

static void add_shares(void)
{
    const struct run_request *r = &run.request;
    const char *root = r->root != NULL ? r->root : "/";

    if (run.image.type == NULL)
        add_share(root, strlen(root), true, true);
    if (r->write && run.image.type == NULL)
        add_share(run.folder, strlen(run.folder), false, false);
    for (unsigned i = 0; i < r->share_count; i++) {
        size_t length = strlen(r->shares[i]);
        bool ro = length > 3 && strcmp(r->shares[i] + length - 3, ",ro") == 0;

        add_share(r->shares[i], length - (ro ? 3 : 0), ro, false);
    }
}

static void add_port(const char *name, enum serial_kind kind, int fd)
{
    struct guest_config *guest = &run.options.guests[0];

    guest->ports[guest->port_count++] = (struct port_config){
        .name = name, .name_length = strlen(name), .kind = kind, .fd = fd, .take = take_line};
}

static void add_ports(void)
{
    if (run.terminal) {
        add_port("", SERIAL_STDIO, -1);
    } else {
        add_port("stdin", SERIAL_DESCRIPTOR, STDIN_FILENO);
        add_port("stdout", SERIAL_DESCRIPTOR, STDOUT_FILENO);
        add_port("stderr", SERIAL_DESCRIPTOR, STDERR_FILENO);
    }
    add_port("control", SERIAL_CONTROL, -1);
}

/* After the disks of --disk, so that their names in the guest do not change. */
static int add_disk(struct error *error)
{
    struct guest_config *guest = &run.options.guests[0];
    struct disk_config *disk = &guest->disks[guest->disk_count];

    if (run.image.type == NULL)
        return 0;
    if (guest->disk_count == DISKS_MAX)
        return error_set(error, "--root and --disk: more than %d disks", DISKS_MAX);
    *disk = (struct disk_config){.path = run.request.root,
                                 .path_length = strlen(run.request.root),
                                 .read_only = !run.image.written,
                                 .overlay = run.image.written && !run.request.write};
    memcpy(disk->id, RUN_ROOT_DISK, sizeof RUN_ROOT_DISK);
    guest->disk_count++;
    return 0;
}

/* Finds the folder where the command runs. With its own root, the path is one in the guest. */
static int find_folder(struct error *error)
{
    const struct run_request *r = &run.request;
    bool own = r->root != NULL && (run.image.type != NULL || !r->write);
    const char *folder = r->folder != NULL ? r->folder : own ? "/" : ".";

    if (own && folder[0] != '/')
        return error_set(error, "--cwd %s: with --root it must be an absolute path in the guest",
                         folder);
    if (own ? snprintf(run.folder, sizeof run.folder, "%s", folder) < (int)sizeof run.folder
            : realpath(folder, run.folder) != NULL)
        return 0;
    return error_set(error, "--cwd %s: %s", folder, strerror(own ? ENAMETOOLONG : errno));
}

/* Builds the VMM's command line, with defaults for options that the user has not given. */
static int prepare(struct error *error)
{
    static char ramdisk[RUN_RAMDISK_PATH], append[4096];
    static char *words[RUN_WORDS_MAX + 16];
    struct run_request *r = &run.request;
    int count = 0;

    if (r->root != NULL && run_image_is_one(r->root) &&
        run_image_look(&run.image, r->root, error) < 0)
        return -1;
    if (r->write && run.image.type != NULL && !run.image.written)
        return error_set(error, "--rw: %s, the file system of --root %s, is read-only",
                         run.image.type, r->root);
    if (find_folder(error) < 0 ||
        (r->script != NULL && file_load(&run.script, r->script, SCRIPT_MAX, error) < 0))
        return -1;
    if (run_kernel_find(&run.kernel, r->kernel, r->modules, error) < 0)
        return -1;
    snprintf(append, sizeof append, "quiet %s", r->append != NULL ? r->append : "");
    words[count++] = (char *)"kvm-vmm";
    words[count++] = (char *)"--memory=1G";
    for (int i = 0; i < r->vmm_count; i++)
        words[count++] = r->vmm[i];
    words[count++] = (char *)"--append";
    words[count++] = append;
    words[count++] = (char *)"--initrd";
    words[count++] = ramdisk;
    words[count++] = run.kernel.path;
    run.mistake = true;
    if (options_parse(&run.options, count, words, error) < 0)
        return -1;
    if (run.options.action != OPTIONS_RUN || run.options.forks != 0)
        return error_set(error, "--help, --version and --forks do not go with run");
    if (run.options.guests[0].port_count + (run.terminal ? 2 : 4) > PORTS_MAX)
        return error_set(error, "more than %d --port and --console", PORTS_MAX - 4);
    run.mistake = false;
    list_hidden();
    add_shares();
    add_ports();
    if (add_disk(error) < 0)
        return -1;
    if (run_ramdisk_make(&(struct run_ramdisk){.request = r,
                                               .kernel = &run.kernel,
                                               .guest = &run.options.guests[0],
                                               .image = &run.image,
                                               .script = &run.script,
                                               .folder = run.folder,
                                               .terminal = run.terminal},
                         ramdisk, error) < 0)
        return -1;
    run.options.guests[0].initrds[run.options.guests[0].initrd_count - 1] = ramdisk;
    run.options.guests[0].serial = SERIAL_KEPT;
    run.options.guests[0].no_ctrl_d = true;
    run.options.take_signal = take_signal;
    if (r->each == NULL)
        return 0;
    run.options.service = each_service;
    return session_fork_check_run(&run.options, &run.options.guests[0], error);
}

/* --- the end --- */

/* The kernel's last words: from its panic on, if it had one. */
static void show_log(void)
{
    static char text[64 * 1024 + 1];
    size_t size = ports_kept(0, text, sizeof text - 1);
    const char *from = text + size, *panic;
    unsigned lines = 0;

    text[size] = '\0';
    while (from > text && lines <= LOG_SHOWN)
        lines += *--from == '\n';
    panic = strstr(text, "Kernel panic");
    if (panic != NULL)
        from = panic;
    for (lines = 0; *from != '\0' && lines < LOG_SHOWN; lines++) {
        size_t length = strcspn(from, "\r\n");

        if (length > 0)
            fprintf(stderr, "kvm-vmm run: kernel: %.*s\n", (int)length, from);
        from += length;
        from += strspn(from, "\r\n");
    }
}

/* The command's status if it is known and the VMM ended well; otherwise by how the VMM ended. */
static int status_of(int vmm)
{
    clear_progress();
    if (run.status >= 0 && vmm == STATUS_OK)
        return run.status;
    if (vmm == STATUS_LIMIT || vmm > 128)
        return vmm;
    if (run.status >= 0)
        return STATUS_FAILED; /* output is lost; the session has reported why */
    if (vmm == STATUS_OK && session_end_was_left()) {
        if (run.request.shell)
            return STATUS_OK;
        fprintf(stderr, "kvm-vmm run: the machine was stopped before the command had ended\n");
        return LEFT;
    }
    fprintf(stderr, "kvm-vmm run: the guest ended before the command did (%s)\n",
            run.ready ? "it was running" : "it had not started");
    show_log();
    return STATUS_FAILED;
}

/* The name of the run in a report. */
static const char *name_of_run(void)
{
    static char name[1024];
    size_t at = 0;

    if (run.request.script != NULL)
        at = (size_t)snprintf(name, sizeof name, "%s", run.request.script);
    for (char **word = run.request.command; word != NULL && *word != NULL && at < sizeof name;
         word++)
        at += (size_t)snprintf(name + at, sizeof name - at, "%s%s", at > 0 ? " " : "", *word);
    return at > 0 ? name : "shell";
}

/* Runs in a copy. Its first process reports the result of its command. */
static int run_copy(const struct options *options)
{
    int status;

    run.progress = false;
    status = status_of(session_run(options));
    return status | (run.status == status ? EACH_OF_COMMAND : 0);
}

static int open_each(struct error *error)
{
    const struct run_request *r = &run.request;

    if (r->each == NULL)
        return 0;
    return each_open(
        &(struct each_request){.path = r->each,
                               .jobs = r->jobs,
                               .report = r->output != NULL ? r->output + strlen("junit:") : NULL,
                               .copy = run_copy},
        error);
}

/* If the machine ended before it could be forked, that is a failure before any command. */
static int finish_each(int status)
{
    clear_progress();
    return each_finish(each_is_ready() ? status : status_of(status), run.kernel.version);
}

static int run_it(void)
{
    struct error error;
    int status;

    run.terminal =
        run.request.each == NULL && terminal_is(STDIN_FILENO) && terminal_is(STDOUT_FILENO);
    if (open_each(&error) < 0 || prepare(&error) < 0)
        return refuse(run.mistake ? STATUS_USAGE : STATUS_FAILED, error.text);
    run.progress = terminal_is(STDERR_FILENO);
    if (run.progress)
        fprintf(stderr, "kvm-vmm run: booting Linux %s ...", run.kernel.version);
    status = session_run(&run.options);
    if (run.request.each != NULL)
        return finish_each(status);
    status = status_of(status);
    clear_progress();
    if (terminal_is(STDERR_FILENO) && !run.request.write && run.request.shell)
        fprintf(stderr,
                "kvm-vmm run: files that were written are discarded (--rw keeps those in %s)\n",
                run.image.type != NULL ? run.request.root : run.folder);
    return status;
}

/* A report of the run alone has what went wrong in it, so that is left to the guest. */
static int check(struct error *error)
{
    int status = run_check_options(&run.request, error);
    bool reported = run.request.output != NULL && run.request.each == NULL;

    return status != 0 || reported ? status : run_check_command(&run.request, error);
}

int run_main(int argc, char **argv)
{
    struct error error;
    int status;

    run.status = -1; /* not in the definition: that would add 90 KB of zeroes to the program */
    if (run_request_parse(&run.request, argc, argv, &error) < 0) {
        fprintf(stderr, "kvm-vmm run: %s; kvm-vmm run --help explains\n", error.text);
        return STATUS_USAGE;
    }
    if (run.request.help)
        return fputs(run_help, stdout) < 0 || fflush(stdout) != 0 ? STATUS_FAILED : STATUS_OK;
    status = check(&error);
    if (status != 0)
        return refuse(status, error.text);
    if (run_request_misplaced(&run.request) != NULL && terminal_is(STDERR_FILENO))
        fprintf(stderr,
                "kvm-vmm run: %s goes to %s; options of run stand before COMMAND (-- before it: "
                "so it is meant)\n",
                run_request_misplaced(&run.request), run.request.command[0]);
    if (run_lab_enter(argv, &error) < 0)
        return refuse(STATUS_FAILED, error.text);
    if (run.request.output != NULL && run.request.each == NULL &&
        junit_fork(&(struct junit){run.request.output + strlen("junit:"), name_of_run()}, &error) <
            0)
        return refuse(STATUS_FAILED, error.text);
    status = run_it();
    junit_tell(run.status >= 0 && run.status == status, run.kernel.version);
    return status;
}
