# Freestanding x86: guests, the 1K OS, HLeOs.
#   $(OUT)/x86_16/PATH.o   assembly for real mode (.S, assembled as 32-bit objects; the source says .code16)
#   $(OUT)/x86_32/PATH.o   32-bit C and assembly
#   $(OUT)/x86_64/PATH.o   64-bit C and assembly
# A Makefile may add to INCLUDES and to X86_CFLAGS.
include $(dir $(lastword $(MAKEFILE_LIST)))base.mk

X86_CC      ?= $(CC_GIVEN)
X86_LD      ?= ld
X86_OBJCOPY ?= objcopy
INCLUDES    += -I$(TOP)

X86_FLAGS    = -std=gnu17 -O2 -g $(WARNINGS) $(INCLUDES) -ffreestanding -nostdinc -isystem $(X86_GCC_INCLUDE) \
               -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
               -mgeneral-regs-only $(X86_LOOPS) $(X86_CFLAGS)
X86_GCC_INCLUDE := $(shell $(X86_CC) -print-file-name=include)
# A loop that fills memory stays one: gcc would call memset, from within memset as well. clang, which lacks the option, calls
# nothing where there is no C library.
X86_LOOPS       := $(shell $(X86_CC) -fno-tree-loop-distribute-patterns -fsyntax-only -x c /dev/null 2> /dev/null && \
                     echo -fno-tree-loop-distribute-patterns)
X86_FLAGS_16 = -m32
X86_FLAGS_32 = -m32 -march=i686
X86_FLAGS_64 = -m64 -mno-red-zone

define x86_rules
$(OUT)/x86_$(1)/%.o: $(TOP)/%.c
	$$(call say,CC$(1),$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(X86_CC) $$(X86_FLAGS) $$(X86_FLAGS_$(1)) $$(DEPFLAGS) -c $$< -o $$@
$(OUT)/x86_$(1)/%.o: $(TOP)/%.S
	$$(call say,AS$(1),$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(X86_CC) $$(X86_FLAGS) $$(X86_FLAGS_$(1)) -D__ASSEMBLY__ $$(DEPFLAGS) -c $$< -o $$@
endef
$(foreach bits,16 32 64,$(eval $(call x86_rules,$(bits))))

-include $(shell find $(OUT)/x86_16 $(OUT)/x86_32 $(OUT)/x86_64 -name '*.d' 2>/dev/null)
