# HLeOs on its machines. Included by Makefile.
QEMU       ?= qemu-system-x86_64
QEMU_I386  ?= qemu-system-i386
MEMORY     ?= 128M
CPUS       ?= 4
DISPLAY_OPTION ?= -display none
# KVM only where it is complete, as the lab's probe says; asked when a machine is started, not before.
ACCEL       = $(shell $(TOP)/lab/lab probe --values > /dev/null 2>&1 && echo kvm || echo tcg)
MACHINE     = -drive file=$(IMAGE),format=raw,if=ide -m $(MEMORY) -smp $(CPUS) -device isa-debug-exit,iobase=0xf4,iosize=4 \
              $(DISPLAY_OPTION) -no-reboot

# A machine that ended well leaves with 33: (0x10 << 1) | 1.
run: $(IMAGE)
	$(Q)$(QEMU) -accel $(ACCEL) -cpu max $(MACHINE) -serial mon:stdio; status=$$?; [ $$status = 33 ] || exit $$status

gdb: $(IMAGE)
	@echo "waiting for gdb on port $(GDB_PORT): make debug in another terminal"
	$(Q)$(QEMU) -accel tcg -cpu max $(MACHINE) -serial mon:stdio -S -gdb tcp::$(GDB_PORT); \
	    status=$$?; [ $$status = 33 ] || exit $$status
debug: $(KERNEL)
	$(Q)$(GDB) -q -l 200 $(KERNEL) -ex 'set architecture i386:x86-64' -ex 'target remote localhost:$(GDB_PORT)' \
	    -ex 'hbreak kernel_main' -ex 'continue' $(GDB_EXTRA)

# A machine that never leaves 32 bits, for stepping through the loader; it ends with "no long mode".
gdb-i386: $(IMAGE)
	@echo "waiting for gdb on port $(GDB_PORT): make debug-loader in another terminal"
	$(Q)$(QEMU_I386) -accel tcg -cpu qemu32 $(MACHINE) -serial mon:stdio -S -gdb tcp::$(GDB_PORT)
# Of either machine: the loader's symbols, and each instruction decoded by the mode that the processor is in.
debug-loader: $(STAGE2) $(OUT)/boot.bin
	$(Q)cd $(TOP) && $(GDB) -q -l 200 -ex 'set confirm off' -ex 'target remote localhost:$(GDB_PORT)' \
	    -ex 'add-symbol-file $(OUT)/boot.elf' -ex 'add-symbol-file $(STAGE2)' -x $(HERE)/tools/debug_loader.py \
	    -ex 'hbreak *0x7c00' -ex 'continue' $(GDB_EXTRA)

run-bochs: $(IMAGE)
	$(Q)tools/run-bochs $(IMAGE) $(OUT)/bochs

# Our own VMM takes the kernel itself, with no BIOS; the image is its disk. Through the lab where KVM is incomplete.
run-vmm: $(KERNEL) $(IMAGE)
	$(Q)$(MAKE) --no-print-directory -C $(TOP)/kvm-vmm-x86 vmm
	$(Q)cd $(TOP) && lab/lab run kvm-vmm-x86/kvm-vmm --disk $(patsubst $(TOP)/%,%,$(IMAGE)) $(VMM_OPTIONS) --append '$(CMDLINE)' \
	    $(patsubst $(TOP)/%,%,$(KERNEL)); \
	    status=$$?; [ $$status = 33 ] || exit $$status
