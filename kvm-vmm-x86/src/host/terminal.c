/* The user's terminal; see terminal.h. POSIX.1-2017, chapter 11 (General Terminal Interface). */
#include "host/terminal.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool known;
static volatile bool is_raw;
static const char *volatile farewell = "";

bool terminal_is(int fd)
{
    return isatty(fd) == 1;
}

/* tcsetattr is async-signal-safe. */
void terminal_abandon(void)
{
    (void)terminal_set_raw(false);
    if (write(STDOUT_FILENO, farewell, strlen(farewell)) < 0)
        is_raw = false; /* no one is there to see it */
}

/* A crash of the VMM must not leave the terminal raw: restore it, then end by the signal as usual.
 */
static void on_crash(int signal)
{
    terminal_abandon();
    raise(signal); /* SA_RESETHAND has put the default back */
}

void terminal_init(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER};

    known = tcgetattr(STDIN_FILENO, &saved) == 0;
    for (size_t i = 0; known && i < sizeof crashes / sizeof crashes[0]; i++)
        sigaction(crashes[i], &action, NULL);
}

/* Output processing stays on: small guests end their lines with a bare newline. */
static struct termios raw_settings(void)
{
    struct termios raw = saved;

    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return raw;
}

bool terminal_set_raw(bool raw)
{
    struct termios settings = saved;

    if (!known || raw == is_raw)
        return false;
    if (raw)
        settings = raw_settings();
    if (tcsetattr(STDIN_FILENO, TCSANOW, &settings) != 0)
        return false;
    is_raw = raw;
    return true;
}

void terminal_forget(void)
{
    is_raw = false;
}

void terminal_set_farewell(const char *text)
{
    farewell = text;
}

void terminal_size(unsigned *rows, unsigned *columns)
{
    struct winsize size;

    *rows = 25;
    *columns = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        return;
    *rows = size.ws_row;
    *columns = size.ws_col;
}
