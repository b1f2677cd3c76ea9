# A PC of 32 bits: the same compiler, with Debian's C library and busybox of that architecture in a folder of their own.
SYSROOT := $(OUT)/i386/sysroot
CC_i386  = $(HOST_CC) -m32 --sysroot=$(SYSROOT) -B$(SYSROOT)/usr/lib/gcc/i686-linux-gnu/12 -isystem $(SYSROOT)/usr/include/i386-linux-gnu
BUSYBOX := $(SYSROOT)/bin/busybox
INIT    += init/port_x86.c

$(BUSYBOX):
	$(call say,FETCH,$@)
	@mkdir -p $(SYSROOT)
	$(Q)for deb in $$($(TOP)/tools/fetch-deb bookworm i386 libc6-dev linux-libc-dev libgcc-12-dev busybox-static); do \
	    dpkg-deb -x $$deb $(SYSROOT) || exit 1; done; touch $@
$(INIT:%.c=$(DIR)/%.o) $(FACTS:%.c=$(DIR)/%.o): | $(BUSYBOX)
