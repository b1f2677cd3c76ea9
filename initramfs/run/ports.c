/* Ports of the virtio console; see ports.h. */
#include "initramfs/run/ports.h"
#include "initramfs/run/say.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The driver makes them while we look: what takes longer than this will not come. */
enum { PATIENCE_MS = 60000 };

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static bool is_called(const char *device, const char *name)
{
    char path[300], text[64] = "";
    FILE *file;

    snprintf(path, sizeof path, "/sys/class/virtio-ports/%.200s/name", device);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    fclose(file);
    text[strcspn(text, "\n")] = '\0';
    return strcmp(text, name) == 0;
}

/* -1: no port has that name yet. */
static int find(const char *name)
{
    DIR *folder = opendir("/sys/class/virtio-ports");
    struct dirent *entry;
    char path[300];
    int port = -1;

    while (folder != NULL && port < 0 && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.' && is_called(entry->d_name, name)) {
            snprintf(path, sizeof path, "/dev/%.200s", entry->d_name);
            port = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        }
    if (folder != NULL)
        closedir(folder);
    return port;
}

int ports_open(const char *name)
{
    struct pollfd port = {.fd = -1, .events = POLLOUT};

    for (int i = 0; i < PATIENCE_MS; i++) {
        if (port.fd < 0)
            port.fd = find(name);
        if (port.fd >= 0 && poll(&port, 1, 0) >= 0 && !(port.revents & POLLHUP))
            return port.fd;
        nap();
    }
    say_failed(125, "the guest finds no port %s: its kernel needs virtio_mmio and virtio_console",
               name);
}

int ports_open_terminal(void)
{
    int terminal = -1;

    for (int i = 0; i < PATIENCE_MS && terminal < 0; i++) {
        terminal = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (terminal < 0)
            nap();
    }
    if (terminal < 0)
        say_failed(125, "the guest finds no hvc0: its kernel needs virtio_console");
    return terminal;
}
