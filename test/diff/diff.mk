# Differential fuzzing: make diff DIFF_SECONDS=60 [DIFF_SEED=n]
DIFF_SECONDS ?= 10
DIFF_DIR := $(B)/san/test/diff

$(B)/test/diff/rv64_peer: test/diff/rv64_peer.c test/diff/diff.h
	@mkdir -p $(@D)
	@riscv64-unknown-elf-gcc -O1 -march=rv64imafdc_zifencei -mabi=lp64d -mcmodel=medany -mno-relax -static \
	  -ffreestanding -nostdlib -Wall -Wextra -Werror $< -o $@
$(DIFF_DIR)/rv64_diff: $(DIFF_DIR)/rv64_diff.o $(DIFF_DIR)/rv64_gen.o $(B)/san/libfvp.a $(LIBS_san)
	@$(CLANG) $(SAN) -pthread $^ -o $@

.PHONY: diff
diff: $(DIFF_DIR)/rv64_diff $(B)/test/diff/rv64_peer ## random RV64 programs, interpreter against QEMU; DIFF_SECONDS=, DIFF_SEED=
	@$< $(B)/test/diff/rv64_peer $(DIFF_SECONDS) $(DIFF_SEED)
