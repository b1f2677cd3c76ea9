# The host toolchain: programs and unit tests that run on the machine that builds them.
#   $(OUT)/host/PATH.o    from $(TOP)/PATH.c, optimised
#   $(OUT)/asan/PATH.o    the same under AddressSanitizer and UndefinedBehaviorSanitizer (unit tests)
#   $(OUT)/fuzz/PATH.o    the same for libFuzzer (clang)
#   $(OUT)/fuzz/PATH.read nothing: clang has read $(TOP)/PATH.c for its warnings
# A Makefile may add to INCLUDES. HOST_CC=... chooses another compiler, CC=... one for freestanding x86 as well.
include $(dir $(lastword $(MAKEFILE_LIST)))base.mk

HOST_CC  ?= $(CC_GIVEN)
FUZZ_CC  ?= clang
INCLUDES += -I$(TOP)

# Linux's structures end in arrays that a structure of ours gives room to: clang calls that an extension.
CLANG_WARNINGS := -Wno-gnu-variable-sized-type-not-at-end
HOST_CFLAGS = -std=gnu17 -O2 -g -D_GNU_SOURCE $(WARNINGS) $(if $(findstring clang,$(HOST_CC)),$(CLANG_WARNINGS)) $(INCLUDES) -pthread
ASAN_CFLAGS = $(HOST_CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_CFLAGS = $(HOST_CFLAGS) $(CLANG_WARNINGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

# Objects are made again when the compiler or its flags change (WERROR=1 changes no object).
HOST_FLAGS_SEEN := $(OUT)/host.flags
.PHONY: flags-now
$(HOST_FLAGS_SEEN): flags-now
	@mkdir -p $(@D)
	@echo '$(HOST_CC) $(filter-out -Werror,$(HOST_CFLAGS))' | cmp -s - $@ || \
	    echo '$(HOST_CC) $(filter-out -Werror,$(HOST_CFLAGS))' > $@

$(OUT)/host/%.o: $(TOP)/%.c $(HOST_FLAGS_SEEN)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(OUT)/asan/%.o: $(TOP)/%.c
	$(call say,CC-ASAN,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(ASAN_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(OUT)/fuzz/%.o: $(TOP)/%.c
	$(call say,CC-FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(DEPFLAGS) -c $< -o $@

$(OUT)/fuzz/%.read: $(TOP)/%.c
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(HOST_CFLAGS) $(CLANG_WARNINGS) -fsyntax-only $(DEPFLAGS) -MF $(@:.read=.d) -MT $@ $<
	@touch $@

-include $(shell find $(OUT)/host $(OUT)/asan $(OUT)/fuzz -name '*.d' 2>/dev/null)
