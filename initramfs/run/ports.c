/* Ports of the virtio console; see ports.h. */
#include "initramfs/run/ports.h"
#include "initramfs/run/device.h"
#include "initramfs/run/say.h"

#include <fcntl.h>
#include <poll.h>

int ports_open(const char *name)
{
    struct pollfd port = {.fd = -1, .events = POLLOUT};
    char path[DEVICE_PATH];

    for (int i = 0; i < DEVICE_LOOKS; i++) {
        if (port.fd < 0 && device_find("/sys/class/virtio-ports", "name", name, path))
            port.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (port.fd >= 0 && poll(&port, 1, 0) >= 0 && !(port.revents & POLLHUP))
            return port.fd;
        device_nap();
    }
    say_failed(125, "the guest finds no port %s: its kernel needs virtio_mmio and virtio_console",
               name);
}

int ports_open_terminal(void)
{
    int terminal = -1;

    for (int i = 0; i < DEVICE_LOOKS && terminal < 0; i++) {
        terminal = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (terminal < 0)
            device_nap();
    }
    if (terminal < 0)
        say_failed(125, "the guest finds no hvc0: its kernel needs virtio_console");
    return terminal;
}
