# Differential fuzzing: make diff DIFF_SECONDS=60; DIFF_SECONDS=0 DIFF_SEED=n runs program n only.
DIFF_SECONDS ?= 60
DIFF_DIR := $(B)/san/test/diff

$(B)/test/diff/rv64_peer: test/diff/rv64_peer.c test/diff/diff.h
	@mkdir -p $(@D)
	@riscv64-unknown-elf-gcc -O1 -march=rv64imafdc_zifencei -mabi=lp64d -mcmodel=medany \
	  -mno-relax -static -ffreestanding -nostdlib -Wall -Wextra -Werror $< -o $@
$(DIFF_DIR)/rv64_diff: $(DIFF_DIR)/rv64_diff.o $(DIFF_DIR)/rv64_gen.o $(B)/san/libfvp.a \
                       $(LIBS_san)
	@$(CLANG) $(SAN) -pthread $^ -o $@

.PHONY: diff
DIFF := $(DIFF_DIR)/rv64_diff $(B)/test/diff/rv64_peer
diff: $(DIFF) ## random RV64 programs: we against QEMU
	@$(DIFF) $(DIFF_SECONDS) $(DIFF_SEED)
