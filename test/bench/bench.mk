# Figures beside QEMU's: the programs for the guest, the same for this machine, the initramfs.

BENCH := $(B)/bench
BENCH_SOURCES := $(wildcard test/bench/guest/*.c)
# -ffp-contract=off: all machines must compute the same bits.
BENCH_FLAGS := -std=gnu17 -O2 -g -ffp-contract=off -D_GNU_SOURCE -I. $(WARN)

$(BENCH)/guest: $(BENCH_SOURCES) $(wildcard test/bench/guest/*.[hd]*) | $(PACKAGES)
	@mkdir -p $(@D)
	@riscv64-linux-gnu-gcc $(BENCH_FLAGS) -static $(BENCH_SOURCES) -lm -o $@
$(BENCH)/native: $(BENCH_SOURCES) $(wildcard test/bench/guest/*.[hd]*) | $(PACKAGES)
	@mkdir -p $(@D)
	@gcc $(BENCH_FLAGS) -static $(BENCH_SOURCES) -lm -o $@
$(BENCH)/initrd.gz: $(BENCH)/guest test/bench/initrd.sh test/bench/init.sh
	@test/bench/initrd.sh $< $@
$(BENCH)/%.elf: test/bench/%.S | $(PACKAGES)
	@mkdir -p $(@D)
	@$(RV64_BARE) $< -o $@

# Kernels that measure exits: flat, from address 0.
EXITS := -nostdlib -fuse-ld=lld -Wl,-N,-Ttext=0,--oformat=binary
$(BENCH)/exits-x86_64.bin: test/bench/exits/x86_64.S | $(PACKAGES)
	@mkdir -p $(@D)
	@$(CLANG) --target=x86_64-none-elf $(EXITS) $< -o $@
$(BENCH)/exits-aarch64.bin: test/bench/exits/aarch64.S | $(PACKAGES)
	@mkdir -p $(@D)
	@$(CLANG) --target=aarch64-none-elf $(EXITS) $< -o $@

.PHONY: bench bench-programs
bench-programs: $(BENCH)/native $(BENCH)/initrd.gz $(BENCH)/intloop.elf $(LINUX) \
  $(BENCH)/exits-x86_64.bin $(BENCH)/exits-aarch64.bin
BENCH_IMAGES := $(if $(or $(if $T,,all),$(findstring exits,$T)),x86_64 aarch64)
bench: hosted $(BENCH_IMAGES) bench-programs ## figures beside QEMU's; T="sha256 fp" RUNS=5
	@test/bench/bench.py $(if $(RUNS),--runs $(RUNS)) $(T)
