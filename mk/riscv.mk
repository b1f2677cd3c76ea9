# Freestanding RISC-V, 64 bits: the hypervisor and its guests. Any clang or gcc for riscv64 will do.
#   $(OUT)/riscv/PATH.o    from $(TOP)/PATH.c or .S; C uses no floating point, so that it can never disturb a guest's
#   $(RISCV_LINK)          the linker, with the flags that every image here wants
# A Makefile may add to INCLUDES and RISCV_CFLAGS. RISCV_CC=... chooses another compiler, RISCV_LD=... another linker.
include $(dir $(lastword $(MAKEFILE_LIST)))base.mk

riscv_have = $(shell command -v $(1) 2>/dev/null)
RISCV_GCC  := $(firstword $(foreach c,riscv64-linux-gnu-gcc riscv64-unknown-elf-gcc riscv64-elf-gcc,$(if $(call riscv_have,$(c)),$(c))))
RISCV_CC   ?= $(if $(and $(call riscv_have,clang),$(call riscv_have,ld.lld)),clang,$(RISCV_GCC))
INCLUDES   += -I$(TOP)

ifneq ($(findstring clang,$(RISCV_CC)),)
RISCV_TARGET := --target=riscv64-unknown-elf -nostdlibinc -mno-relax
RISCV_LD     ?= ld.lld
else
RISCV_TARGET := -nostdinc -isystem $(if $(RISCV_CC),$(shell $(RISCV_CC) -print-file-name=include))
RISCV_LD     ?= $(patsubst %gcc,%ld,$(RISCV_CC))
endif
RISCV_OBJCOPY ?= $(firstword $(foreach c,riscv64-linux-gnu-objcopy riscv64-unknown-elf-objcopy llvm-objcopy,$(if $(call riscv_have,$(c)),$(c))))

# Old compilers do not know the names of what used to be part of the base instruction set, new ones insist on them.
riscv_takes = $(shell echo | $(RISCV_CC) $(RISCV_TARGET) -march=$(1) -mabi=lp64 -x c -c -o /dev/null - 2>/dev/null && echo $(1))
RISCV_MARCH    := $(or $(call riscv_takes,rv64imac_zicsr_zifencei),rv64imac)
RISCV_MARCH_FP := $(subst imac,imafdc,$(RISCV_MARCH))

RISCV_FLAGS = -std=gnu17 -O2 -g $(RISCV_TARGET) $(WARNINGS) $(INCLUDES) -ffreestanding -mabi=lp64 -mcmodel=medany \
              -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer $(RISCV_CFLAGS)
ifeq ($(findstring clang,$(RISCV_CC)),)
RISCV_FLAGS += -fno-tree-loop-distribute-patterns
else
RISCV_FLAGS += -fno-builtin
endif
RISCV_LINK  = $(RISCV_LD) -m elf64lriscv -nostdlib -static --no-dynamic-linker -z noexecstack

$(OUT)/riscv/%.o: $(TOP)/%.c
	$(call say,CC-RV,$<)
	@mkdir -p $(@D)
	$(Q)$(RISCV_CC) $(RISCV_FLAGS) -march=$(RISCV_MARCH) $(DEPFLAGS) -c $< -o $@

$(OUT)/riscv/%.o: $(TOP)/%.S
	$(call say,AS-RV,$<)
	@mkdir -p $(@D)
	$(Q)$(RISCV_CC) $(RISCV_FLAGS) -march=$(RISCV_MARCH_FP) -D__ASSEMBLY__ $(DEPFLAGS) -c $< -o $@

-include $(shell find $(OUT)/riscv -name '*.d' 2>/dev/null)
