# The small guests: every guest/NAME.S is found by name, with three targets:
#   make build-NAME   assembles it     make run-NAME   runs it     make NAME   both, with the VMM
# A guest says in its comment what it is for: `Mode: real` (or nothing), `Mode: protected`, `Mode: long` or `Mode: multiboot`.
# Included by ../Makefile, which sets OUT, includes mk/x86.mk, and builds $(VMM).
VMM     ?= kvm-vmm
LAB_RUN ?= ../lab/lab run
HERE    := kvm-vmm-x86

GUESTS      := $(sort $(basename $(notdir $(wildcard guest/*.S))))
# Guests that only tests run: guest/test/GROUP/NAME.S, with no target of their own.
TEST_GUESTS := $(sort $(wildcard guest/test/*/*.S))

# What each says, as FILE:Mode:WORD.
MODES := $(shell grep -HoEm1 'Mode: (real|protected|long|multiboot)' /dev/null guest/*.S guest/test/*/*.S | tr -d ' ')

# By mode: how the VMM is told, what the image is, and how it is assembled and linked.
flag_real      :=
flag_protected := -p
flag_long      := -l
flag_multiboot :=
type_real      := bin
type_protected := bin
type_long      := elf
type_multiboot := elf
bits_real      := 16
bits_protected := 32
bits_long      := 64
bits_multiboot := 32
emulation_real      := elf_i386
emulation_protected := elf_i386
emulation_long      := elf_x86_64
emulation_multiboot := elf_i386

# GUEST,FOLDER,KEY: the rules of one guest. A flat image keeps its ELF file, with the symbols, under $(OUT). KEY begins the
# names of its variables: a guest/NAME.S may have the name of a test's guest.
define guest_rules
$(3)_mode  := $(or $(patsubst $(2)/$(1).S:Mode:%,%,$(filter $(2)/$(1).S:Mode:%,$(MODES))),real)
$(3)_image := $(2)/$(1).$$(type_$$($(3)_mode))
$(3)_run   := $$(strip $$(flag_$$($(3)_mode)) $$($(3)_image))

$(OUT)/$(2)/$(1).elf: $(OUT)/x86_$$(bits_$$($(3)_mode))/$(HERE)/$(2)/$(1).o guest/link/$$($(3)_mode).ld
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(X86_LD) -m $$(emulation_$$($(3)_mode)) -z noexecstack -T $$(filter %.ld,$$^) $$< -o $$@
$(2)/$(1).bin: $(OUT)/$(2)/$(1).elf
	$$(call say,GUEST,$(HERE)/$$@)
	$(Q)$(X86_OBJCOPY) -O binary $$< $$@
$(2)/$(1).elf: $(OUT)/$(2)/$(1).elf
	$$(call say,GUEST,$(HERE)/$$@)
	$(Q)cp $$< $$@
endef
$(foreach guest,$(GUESTS),$(eval $(call guest_rules,$(guest),guest,$(guest))))
$(foreach guest,$(TEST_GUESTS),\
    $(eval $(call guest_rules,$(basename $(notdir $(guest))),$(patsubst %/,%,$(dir $(guest))),$(guest))))

define guest_targets
.PHONY: build-$(1) run-$(1) $(1)
build-$(1): $($(1)_image)
run-$(1): $(VMM) $($(1)_image)
	$(Q)$(LAB_RUN) ./$(VMM) $($(1)_run)
$(1): run-$(1)
endef
$(foreach guest,$(GUESTS),$(eval $(call guest_targets,$(guest))))

.PHONY: guests test-guests broken clean-guests multi-2 multi-4
guests: $(foreach guest,$(GUESTS),$($(guest)_image))
test-guests: guests $(foreach guest,$(TEST_GUESTS),$($(guest)_image))
clean-guests:
	$(Q)rm -f $(foreach folder,guest guest/test/*,$(folder)/*.bin $(folder)/*.elf)

# Guests that are broken on purpose, for docs/debugging.md and tests/failures: guest/broken/MODE/NAME.S, whose folder says the
# mode. An ELF file with the symbols and a flat image of each lie in build/broken/MODE.
BROKEN := $(BUILD)/broken
define broken_rules
$(BROKEN)/$(1)/%.elf: $(OUT)/x86_$(bits_$(1))/$(HERE)/guest/broken/$(1)/%.o guest/link/$(1).ld
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(X86_LD) -m $(emulation_$(1)) -z noexecstack --no-warn-rwx-segments -T $$(filter %.ld,$$^) $$< -o $$@
$(BROKEN)/$(1)/%.bin: $(BROKEN)/$(1)/%.elf
	$(Q)$(X86_OBJCOPY) -O binary $$< $$@
endef
$(foreach mode,real protected long,$(eval $(call broken_rules,$(mode))))
broken: $(foreach type,elf bin,$(patsubst guest/broken/%.S,$(BROKEN)/%.$(type),$(wildcard guest/broken/*/*.S)))

# Several guests in one run, a thread and a VM each.
multi-2: MULTI := counter hello
multi-4: MULTI := counter hello multiplication fibonacci
multi-2 multi-4: $(VMM) guests
	$(Q)$(LAB_RUN) ./$(VMM) $(foreach guest,$(MULTI),$($(guest)_image))
