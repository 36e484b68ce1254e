# Everything that judges: one command for all tests, the boot tests.

PYTHON := /usr/bin/python3
LINUX := $(B)/guests/riscv64/Image
RV64_BARE := $(CLANG) --target=riscv64 -march=rv64gc -mno-relax -nostdlib -fuse-ld=lld \
             -Wl,-N -Wl,-Ttext=0x80000000

X86_PAYLOAD := $(B)/test/boot/payload/x86
X86_BARE := $(CLANG) --target=x86_64-unknown-none-elf -I.

SUITES := unit golden isa diff fuzz icount hostile cross lengths

.PHONY: test boots icount boot-payloads
test: packages ## every test; ends with "N passed, N failed"
	@$(MAKE) --no-print-directory -j2 hosted x86_64 aarch64 boot-payloads $(B)/san/fvp \
		$(UNIT:%=$(B)/san/%)
	@$(MAKE) --no-print-directory guests || echo "guests are missing: tests that need them skip"
	@$(PYTHON) test/run.py \
		$(foreach s,$(SUITES),"$s=$(MAKE) --no-print-directory $s") \
		"boots=test/boot/boot.py"

boots: all $(B)/san/fvp boot-payloads $(LINUX) ## boot tests; T="linux hosted" picks
	@test/boot/boot.py $(T)
icount: $(B)/fvp $(LINUX) ## boots that must be the same under every runner; T="linux" picks
	@test/boot/icount.py $(T)
boot-payloads: $(patsubst %.S,$(B)/%.elf,$(wildcard test/boot/payload/*.S)) \
  $(B)/test/isa/rv64/reach.elf $(B)/test/isa/rv64/view.elf $(X86_PAYLOAD)/vt.bz
$(B)/test/boot/payload/%.elf: test/boot/payload/%.S | $(PACKAGES)
	@mkdir -p $(@D)
	@$(RV64_BARE) $< -o $@

# Linked for where a bzImage is loaded, its 1 KiB of header before that.
$(X86_PAYLOAD)/%.o: test/boot/payload/x86/%.S test/boot/payload/x86/layout.h | $(PACKAGES)
	@mkdir -p $(@D)
	@$(X86_BARE) -c $< -o $@
$(X86_PAYLOAD)/vt.bz: $(X86_PAYLOAD)/vt.o $(X86_PAYLOAD)/low.o
	@$(X86_BARE) -nostdlib -static -fuse-ld=lld -Wl,-N -Wl,-Ttext=0x1ffc00 \
		-Wl,--oformat=binary $^ -o $@

# The process once more, under ASan and UBSan.
$(B)/san/fvp: $(B)/san/arch/hosted/main.o $(B)/san/libfvp.a $(LIBS_san)
	@$(CLANG) $(SAN) -pthread $^ -o $@
