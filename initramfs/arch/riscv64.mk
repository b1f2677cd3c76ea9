# RISC-V, 64 bits: Debian's cross compiler with its C library, and Debian 13's busybox.
CC_riscv64 := riscv64-linux-gnu-gcc
BUSYBOX    := $(OUT)/riscv64/busybox
INIT       += init/port_none.c

$(BUSYBOX):
	$(call say,FETCH,$@)
	@mkdir -p $(@D)
	$(Q)deb=$$($(TOP)/tools/fetch-deb trixie riscv64 busybox-static) && \
	    dpkg-deb --fsys-tarfile "$$deb" | tar -xO --wildcards '*/bin/busybox' > $@ && chmod 755 $@
