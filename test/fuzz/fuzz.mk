# libFuzzer targets: test/fuzz/x_fuzz.c, each over one archive compiled for coverage, ASan and
# UBSan. What a run learns stays in build/fuzz/corpus; inputs worth keeping for good go into
# test/fuzz/seed/x/.
FUZZ := $(patsubst %.c,%,$(wildcard test/fuzz/*_fuzz.c))
FUZZ_SECONDS ?= 5
FUZZ_FLAGS := -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -rss_limit_mb=1024 -timeout=10

$(eval $(call flavour,fuzz,hosted,$(SAN) -fsanitize=fuzzer-no-link))
$(B)/fuzz/arch/hosted/%.o $(B)/fuzz/test/%.o: \
	BASE := $(filter-out -ffreestanding -mgeneral-regs-only,$(BASE)) -D_GNU_SOURCE
$(B)/fuzz/engine/fp/fp.o: BASE += $(SOFTFLOAT_FLAGS)
$(B)/fuzz/engine/fp/fp.o: $(SOFTFLOAT)/COPYING.txt

$(B)/fuzz/libfvp.a: $(LIB_san:$(B)/san/%=$(B)/fuzz/%)
	@rm -f $@ && llvm-ar rcs $@ $^
$(B)/fuzz/test/fuzz/%_fuzz: $(B)/fuzz/test/fuzz/%_fuzz.o $(B)/fuzz/libfvp.a $(LIBS_san)
	@$(CLANG) $(SAN) -fsanitize=fuzzer -pthread $^ -o $@

FUZZ_PICKED := $(patsubst %,$(B)/fuzz/%,$(call picked,$(FUZZ)))
.PHONY: fuzz
fuzz: $(FUZZ_PICKED) ## each fuzz target for FUZZ_SECONDS=5; T=toml picks
	@r=0; for t in $(FUZZ_PICKED); do \
	  n=$$(basename $$t); c=$(B)/fuzz/corpus/$$n; mkdir -p $$c; \
	  s=test/fuzz/seed/$$n; [ -d $$s ] || s=; \
	  if $$t $(FUZZ_FLAGS) -artifact_prefix=$(B)/fuzz/$$n- $$c $$s >$$t.log 2>&1; \
	  then echo "PASS $$n: $$(tail -n 1 $$t.log)"; \
	  else tail -n 40 $$t.log; r=1; \
	    f=$$(sed -n 's/.*Test unit written to //p' $$t.log | tail -n 1); \
	    echo "FAIL $$n: reproduce with $$t $$f"; fi; done; exit $$r
