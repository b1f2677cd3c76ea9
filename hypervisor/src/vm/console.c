/* A guest's console; see console.h. */
#include "vm/console.h"

#include "dev/virtio/console.h"
#include "vm/vm.h"

void console_receive(struct vm *vm, uint8_t byte)
{
    lock_take(&vm->lock);
    if (vm->state != VM_ENDED) {
        if (vm->config.console == CONSOLE_VIRTIO)
            virtio_console_receive(&vm->virtio[0], byte);
        else
            (void)uart_receive(&vm->uart, byte); /* a full queue loses it, as a real line would */
    }
    lock_drop(&vm->lock);
}

int console_take(struct vm *vm)
{
    int byte;

    lock_take(&vm->lock);
    byte = uart_take(&vm->uart);
    lock_drop(&vm->lock);
    return byte;
}
