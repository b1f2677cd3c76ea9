# Emulated machines. Each is a command line without kernel and memory, on the terminal it was started from.
QEMU_RISCV ?= qemu-system-riscv64 -M virt -cpu $(QEMU_RISCV_CPU) -nographic -no-reboot
QEMU_RISCV_CPU ?= rv64
