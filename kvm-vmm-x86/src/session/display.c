/* The text display; see session/display.h. */
#include "session/display.h"

#include "console/console.h"
#include "console/display.h"
#include "host/files/files.h"
#include "host/terminal.h"

int session_display_check(const struct options *options, struct error *error)
{
    if (options->guests[0].text_screen && options->verbose && terminal_is(FILE_STDERR))
        return error_set(error, "--display text and --verbose would write over each other: "
                                "send standard error to a file");
    return 0;
}

int session_display_start(const struct options *options, struct vm *vm,
                          bool (*runs)(unsigned guest), bool (*restarts)(unsigned guest),
                          struct error *error)
{
    struct display_guest guest = {.index = vm->index,
                                  .name = vm->name,
                                  .memory = &vm->memory,
                                  .crtc = &vm->machine.crtc,
                                  .keyboard = &vm->machine.i8042,
                                  .runs = runs,
                                  .restarts = restarts};

    return options->guests[0].text_screen ? display_start(&guest, error) : 0;
}

void session_display_help(void)
{
    if (display_is_on())
        display_say(
            "Ctrl-A x leaves, Ctrl-A p presses the power button, Ctrl-A Ctrl-A sends a Ctrl-A");
    else
        console_printf("kvm-vmm: Ctrl-A x leaves, Ctrl-A n passes the input to the next guest,\n"
                       "kvm-vmm: Ctrl-A p presses the power button of all guests,\n"
                       "kvm-vmm: Ctrl-A Ctrl-A sends a Ctrl-A, Ctrl-A h prints this");
}
