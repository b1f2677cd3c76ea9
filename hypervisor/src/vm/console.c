/* A guest's console; see console.h. */
#include "vm/console.h"

void console_receive(struct vm *vm, uint8_t byte)
{
    LOCK_FOR_BLOCK(&vm->lock);

    /* A byte is lost if there is no room for it, or while the guest reboots. */
    if (vm_is_up(vm) && vm->config.console == CONSOLE_UART)
        (void)uart_receive(&vm->uart, byte);
    else if (vm_is_up(vm) && console_type(&vm->slots[0], byte))
        vm_rouse(vm);
}

int console_take(struct vm *vm)
{
    int byte;

    lock_take(&vm->lock);
    byte = uart_take(&vm->uart);
    lock_drop(&vm->lock);
    return byte;
}
