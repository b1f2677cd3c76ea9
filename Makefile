# mini-kvm: the umbrella. `make help` lists what it can do; a product's own targets are in its folder.
# The programs and tests of each product are built and named by its Makefile, one verb for all: all check unit fuzz clean.
include mk/base.mk

PRODUCTS := common initramfs lab kvm-vmm-x86 hypervisor HLeOs/HLeOs bench

JOBS         ?= $(shell nproc)
FUZZ_SECONDS ?= 60

.PHONY: demo check bench soak fuzz all unit style rules documents clean distclean setup help

demo: setup all
	$(Q)tools/tour

all:
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) $(PRODUCTS:%=all@%)
unit:
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) $(PRODUCTS:%=unit@%)
fuzz:
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) $(PRODUCTS:%=fuzz@%) FUZZ_SECONDS=$(FUZZ_SECONDS)
style:
	$(Q)tools/check-style
rules:
	$(Q)tools/check-style --no-layout

documents:
	$(Q)tools/check-docs $(if $(FULL),,--quick)

# check and soak are the same stages with other counts; FULL=1 adds the tests that need a heavy package.
check soak: export WERROR = 1
check soak:
	$(Q)tools/setup check $(if $(FULL),bench full)
	$(Q)$(if $(FULL),FULL=1) $(if $(filter soak,$@),SOAK=1 FUZZ_SECONDS=$(FUZZ_SECONDS)) tools/check

bench:
	$(Q)tools/setup bench
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(MAKE) --no-print-directory -C HLeOs/HLeOs KPTI=1 all
	$(Q)$(MAKE) --no-print-directory -C bench bench

setup:
	$(Q)tools/setup

# Downloads stay: they cost the user's time, not ours.
clean: $(PRODUCTS:%=clean@%)
	$(Q)find $(BUILD) -mindepth 1 -maxdepth 1 ! -name downloads -exec rm -rf {} + 2> /dev/null || true
distclean: clean
	$(Q)rm -rf $(BUILD)

define delegate
.PHONY: $(1)@$(2)
$(1)@$(2):
	$(Q)$$(MAKE) $(if $(V),,-s) --no-print-directory -C $(2) $(1)
endef
$(foreach product,$(PRODUCTS),$(foreach verb,all unit fuzz clean,$(eval $(call delegate,$(verb),$(product)))))

help:
	@sed -n 's/^#| \{0,1\}//p' Makefile
#| make demo        installs what is missing, builds, and shows every product at work (some minutes)
#| make check       the same set-up, then the rules of the house, unit tests, short fuzzing and system tests (tools/check)
#|                  FULL=1 adds the tests that need heavy packages
#| make all         builds everything          make setup      only installs what is missing
#| make unit        the unit tests             make rules      only tools/check-style, layout left out
#| make fuzz        every fuzzer, FUZZ_SECONDS=60 each      make style   the rules and the layout (clang-format 14)
#| make documents   runs the quick commands of README and docs, and compares what they print; FULL=1: all of them
#| make soak        make check with long counts: minutes of fuzzing, hundreds of boots
#| make bench       the figures, into build/bench
#| make clean       removes what was built, keeps build/downloads; make distclean removes that too
#|
#| V=1 shows the commands. CC=clang builds with that compiler (the RISC-V hypervisor: RISCV_CC).
#| KVM=host or KVM=lab chooses where guests run (lab/lab doctor tells what there is).
