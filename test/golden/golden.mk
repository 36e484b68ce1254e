# Golden counts of host instructions: make golden; UPDATE=1 accepts them as they are now;
# SHOW=fadd.d prints the host code of one snippet, the cold part last.

GOLDEN := $(B)/san/test/golden/golden
$(B)/test/golden/rv64.bin: test/golden/rv64.S
	@mkdir -p $(@D)
	@riscv64-unknown-elf-gcc -march=rv64imafdc_zicsr_zifencei -mabi=lp64d -nostdlib \
	  -Wl,--entry=0,--build-id=none $< -o $(@:.bin=.elf)
	@riscv64-unknown-elf-objcopy -O binary -j .text $(@:.bin=.elf) $@
$(GOLDEN): $(GOLDEN).o $(B)/san/libfvp.a $(LIBS_san)
	@$(CLANG) $(SAN) -pthread $^ -o $@

golden_show = echo "== $1"; $(GOLDEN) $(B)/test/golden/rv64.bin - $(SHOW) $1 | \
	llvm-mc --disassemble --triple=$2 | grep -v '^.text'
.PHONY: golden
golden: $(GOLDEN) $(B)/test/golden/rv64.bin ## host instructions per snippet; UPDATE=1 accepts
ifdef SHOW
	@$(call golden_show,x86_64,x86_64 --output-asm-variant=1)
	@$(call golden_show,x86_64-view,x86_64 --output-asm-variant=1)
	@$(call golden_show,x86_64-base,x86_64 --output-asm-variant=1)
	@$(call golden_show,aarch64,aarch64)
	@$(call golden_show,aarch64-view,aarch64)
else
	@$(GOLDEN) $(B)/test/golden/rv64.bin test/golden/rv64.counts $(if $(UPDATE),update)
endif
