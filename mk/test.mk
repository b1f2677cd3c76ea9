# Unit tests and fuzzers by table. Include after host.mk and after the tables:
#   UNIT_TESTS := test_fmt ...      with  test_fmt_SRCS := common/test/test_fmt.c common/fmt.c
#   FUZZERS    := fuzz_elf ...      with  fuzz_elf_SRCS := common/test/fuzz_elf.c common/elf.c
# Paths are relative to $(TOP). Optional: NAME_LIBS.
#   make unit                        builds and runs every unit test (cmocka, sanitized)
#   make fuzz FUZZ_SECONDS=60        runs every fuzzer that long; what it finds stays in $(OUT)/fuzz-findings/NAME/
# A fuzzer begins with the inputs of NAME.seeds beside its source (tools/seeds), if that is there.
FUZZ_SECONDS ?= 60

define unit_test
$(OUT)/$(1): $(addprefix $(OUT)/asan/,$($(1)_SRCS:.c=.o))
	$$(call say,LD,$$@)
	$(Q)$(HOST_CC) -fsanitize=address,undefined -pthread $$^ -o $$@ -lcmocka $($(1)_LIBS)
endef

define fuzzer
$(OUT)/$(1): $(addprefix $(OUT)/fuzz/,$($(1)_SRCS:.c=.o))
	$$(call say,LD,$$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -pthread $$^ -o $$@ $($(1)_LIBS)
endef

$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))

.PHONY: unit fuzz
unit: $(UNIT_TESTS:%=unit@%)
fuzz: $(FUZZERS:%=fuzz@%)

# One line a test: the verdict on success, the whole log otherwise.
unit@%: $(OUT)/%
	$(Q)$< > $<.log 2>&1 || { cat $<.log; exit 1; }
	@printf '  %-7s %s: %s\n' UNIT $* "$$(sed -n 's/.*PASSED *\] *\([0-9]*\).*/\1 passed/p' $<.log)"

fuzz@%: $(OUT)/%
	@mkdir -p $(OUT)/corpus/$* $(OUT)/fuzz-findings/$* $(OUT)/seeds/$*
	$(Q)seeds=$(TOP)/$(patsubst %.c,%.seeds,$(filter %/$*.c,$($*_SRCS))); [ ! -e $$seeds ] || \
	    $(TOP)/tools/seeds $$seeds $(OUT)/seeds/$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix=$(OUT)/fuzz-findings/$*/ $(OUT)/corpus/$* $(OUT)/seeds/$* $($*_SEEDS) > $<.log 2>&1 \
	    || { tail -n 40 $<.log; exit 1; }
	@printf '  %-7s %s: %s inputs in %s s\n' FUZZ $* \
	    "$$(sed -n 's/.*number_of_executed_units: *//p' $<.log)" $(FUZZ_SECONDS)
