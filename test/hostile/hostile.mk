# The hostile build: the sanitised objects once more, but with test/hostile in place of mmu/tuning
# and engine/tuning. See test/hostile/engine.c; HOSTILE_SEED=n is another course of events.

HOSTILE := $(B)/hostile
HOSTILE_SECONDS ?= 20
TUNED := $(B)/san/mmu/tuning/% $(B)/san/engine/tuning/%
$(HOSTILE)/libfvp.a: $(filter-out $(TUNED),$(LIB_san)) \
                     $(patsubst %.c,$(B)/san/%.o,$(wildcard test/hostile/*.c))
	@mkdir -p $(@D)
	@rm -f $@ && llvm-ar rcs $@ $^
$(HOSTILE)/fvp: $(B)/san/arch/hosted/main.o $(HOSTILE)/libfvp.a $(LIBS_san)
	@$(CLANG) $(SAN) -pthread $^ -o $@
$(HOSTILE)/test/unit/%_test: $(B)/san/test/unit/%_test.o $(HOSTILE)/libfvp.a $(LIBS_san)
	@mkdir -p $(@D)
	@$(CLANG) $(SAN) -pthread $^ -lcmocka -o $@
$(HOSTILE)/rv64_diff: $(DIFF_DIR)/rv64_diff.o $(DIFF_DIR)/rv64_gen.o $(HOSTILE)/libfvp.a \
                      $(LIBS_san)
	@$(CLANG) $(SAN) -pthread $^ -o $@

HOSTILE_UNIT := $(patsubst %,$(HOSTILE)/%,$(filter test/unit/mmu/% test/unit/engine/%,$(UNIT)))
HOSTILE_PROGRAMS := $(HOSTILE)/fvp $(HOSTILE)/rv64_diff $(HOSTILE_UNIT)
.PHONY: hostile
HOSTILE_GUESTS := $(ISA_ELFS) $(B)/test/diff/rv64_peer $(LINUX)
hostile: $(HOSTILE_PROGRAMS) $(HOSTILE_GUESTS) ## with tiny caches
	@r=0; for t in $(HOSTILE_UNIT); do echo "== $$t"; $$t || r=1; done; \
	python3 test/isa/isa.py $(HOSTILE)/fvp $(ISA_DIR) $(ISA_TESTS) -- \
		hybrid jit interp direct || r=1; \
	$(HOSTILE)/rv64_diff $(B)/test/diff/rv64_peer $(HOSTILE_SECONDS) || r=1; \
	test/boot/boot.py hostile || r=1; exit $$r
