/* See terminal.h. */
#include "lab/client/terminal.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool raw;
static int terminal = -1; /* a duplicate of standard input, which is closed earlier */

void terminal_describe(struct message_hello *hello)
{
    struct termios termios = {0};
    struct message_resize size = terminal_size();

    _Static_assert(sizeof(termios) == sizeof(hello->termios), "travels whole");
    for (int fd = 2; fd >= 0; fd--) /* the settings of standard input have priority */
        if (isatty(fd) && tcgetattr(fd, &termios) == 0)
            hello->terminals |= 1u << fd;
    memcpy(hello->termios, &termios, sizeof(termios));
    hello->rows = size.rows;
    hello->columns = size.columns;
}

struct message_resize terminal_size(void)
{
    struct winsize size = {0};

    for (int fd = 0; fd < 3; fd++)
        if (ioctl(fd, TIOCGWINSZ, &size) == 0)
            break;
    return (struct message_resize){.rows = size.ws_row, .columns = size.ws_col};
}

void terminal_raw(const struct message_hello *hello)
{
    struct termios termios;

    if (terminal < 0)
        terminal = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (raw || !(hello->terminals & 1) || tcgetpgrp(terminal) != getpgrp() ||
        tcgetattr(terminal, &saved) != 0)
        return;
    termios = saved;
    cfmakeraw(&termios);
    if (!(hello->terminals & 2)) /* another program writes to the terminal and needs OPOST */
        termios.c_oflag |= saved.c_oflag & (tcflag_t)OPOST;
    raw = tcsetattr(terminal, TCSADRAIN, &termios) == 0;
}

void terminal_restore(void)
{
    if (raw)
        tcsetattr(terminal, TCSADRAIN, &saved);
    raw = false;
}

bool terminal_interrupts(const struct message_hello *hello, uint8_t byte)
{
    return (hello->terminals & 1) && raw && byte == saved.c_cc[VINTR];
}
