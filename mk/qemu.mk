# Emulated machines. Each is a command line without kernel and memory, on the terminal it was started from. Every key, Ctrl-a and
# Ctrl-C too, goes to the machine.
QEMU_RISCV ?= qemu-system-riscv64 -M virt -cpu $(QEMU_RISCV_CPU) -display none -monitor none \
               -chardev stdio,id=tty,signal=off -serial chardev:tty -no-reboot
QEMU_RISCV_CPU ?= rv64
