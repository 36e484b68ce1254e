# ISA tests: bare-metal programs run by FVP under each of its runners and, for comparison, by QEMU.
ISA_DIR := $(B)/test/isa/rv64
ISA_RUNTIME := isa start harts probe emit fpmodel
ISA_TESTS := $(filter-out $(ISA_RUNTIME),$(basename $(notdir $(wildcard test/isa/rv64/*.c))))
ISA_CC := riscv64-unknown-elf-gcc -std=gnu17 -O1 -g -march=rv64imafdc_zicsr_zifencei \
  -mabi=lp64d -mcmodel=medany -mno-relax -ffreestanding \
  -fno-tree-loop-distribute-patterns -nostdlib -Wall -Wextra -Werror

$(ISA_DIR)/%.o: test/isa/rv64/%.c $(wildcard test/isa/rv64/*.h)
	@mkdir -p $(@D)
	@$(ISA_CC) -c $< -o $@
$(ISA_DIR)/%.o: test/isa/rv64/%.S
	@mkdir -p $(@D)
	@$(ISA_CC) -c $< -o $@
$(ISA_DIR)/%.elf: $(ISA_DIR)/%.o $(ISA_RUNTIME:%=$(ISA_DIR)/%.o) test/isa/rv64/isa.ld
	@$(ISA_CC) -T test/isa/rv64/isa.ld -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
	  $(filter %.o,$^) -lgcc -o $@

.PHONY: isa
ISA_ELFS := $(ISA_TESTS:%=$(ISA_DIR)/%.elf)
isa: $(B)/fvp $(DECODE) $(ISA_ELFS) ## RV64 ISA tests, all runners and QEMU; T="smc jit" picks
	@$(if $(T),,python3 test/isa/decode.py $(DECODE))
	@python3 test/isa/isa.py $(B)/fvp $(ISA_DIR) $(ISA_TESTS) -- $(T)
