# The process for AArch64, run by QEMU on whatever machine this is: what judges the translator's
# AArch64 target. QEMU comes from a later Debian: older ones overlook code that changes through
# another mapping.

CROSS := $(B)/hosted-aarch64
CROSS_SECONDS ?= 20
CROSS_LD := $(CLANG) --target=aarch64-linux-gnu -fuse-ld=lld -pthread -g

CPU_hosted_aarch64 := aarch64
FLAGS_hosted_aarch64 := --target=aarch64-linux-gnu -mno-outline-atomics -fno-pie \
                        -fasynchronous-unwind-tables
$(eval $(call flavour,hosted-aarch64,hosted_aarch64,))
$(eval $(call softfloat,hosted-aarch64,hosted_aarch64))
$(eval $(call zlib,hosted-aarch64,hosted_aarch64))

CROSS_QEMU := $(CACHE)/trixie-amd64/root/qemu-user/usr/bin/qemu-aarch64
CROSS_CMOCKA := $(CACHE)/bookworm-arm64/root/libcmocka0/usr/lib/aarch64-linux-gnu
$(CROSS_QEMU): | $(PACKAGES)
	@guests/packages.sh fetch trixie amd64 bin qemu-user >/dev/null && touch -c $@
$(CROSS_CMOCKA)/libcmocka.so.0: | $(PACKAGES)
	@guests/packages.sh fetch bookworm arm64 bin libcmocka0 >/dev/null && touch -c $@

$(CROSS)/arch/hosted/%.o $(CROSS)/test/%.o: BASE := \
	$(filter-out -ffreestanding -mgeneral-regs-only,$(BASE)) -D_GNU_SOURCE

$(CROSS)/libfvp.a: $(filter-out %/arch/hosted/main.o,$(call objs,hosted_aarch64,hosted-aarch64))
	@rm -f $@ && llvm-ar rcs $@ $^
$(B)/fvp-hosted-aarch64: $(CROSS)/arch/hosted/main.o $(CROSS)/libfvp.a $(LIBS_hosted-aarch64)
	@$(CROSS_LD) -static $^ -o $@
$(CROSS)/test/diff/rv64_diff: $(CROSS)/test/diff/rv64_diff.o $(CROSS)/test/diff/rv64_gen.o \
                              $(CROSS)/libfvp.a $(LIBS_hosted-aarch64)
	@$(CROSS_LD) -static $^ -o $@
$(CROSS)/test/unit/%_test: $(CROSS)/test/unit/%_test.o $(CROSS)/libfvp.a $(LIBS_hosted-aarch64) \
                          $(CROSS_CMOCKA)/libcmocka.so.0
	@$(CROSS_LD) -no-pie $^ -o $@

# A program that is linked dynamically finds Debian's cross libc and the library above.
CROSS_RUN := $(CROSS_QEMU) -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$(CROSS_CMOCKA)

# The differential fuzzer runs on a CPU with atomic instructions, and on one without. The ISA test
# of timers wants a clock in step with its instructions, which an emulator is not.
CROSS_TESTS := $(CROSS)/test/unit/engine/back/back_test $(CROSS)/test/unit/engine/back/fp_test
CROSS_DIFF := $(CROSS)/test/diff/rv64_diff $(B)/test/diff/rv64_peer
CROSS_ISA := $(filter-out timer,$(ISA_TESTS))
CROSS_NEEDS := $(B)/fvp-hosted-aarch64 $(CROSS_DIFF) $(CROSS_TESTS) $(ISA_ELFS)

.PHONY: cross
cross: $(CROSS_NEEDS) | $(CROSS_QEMU) ## the translator's AArch64 target, under QEMU
	@r=0; for t in $(CROSS_TESTS); do echo "== $$t"; $(CROSS_RUN) $$t || r=1; done; \
	test/cross/isa.py $(CROSS_QEMU) $(B)/fvp-hosted-aarch64 $(ISA_DIR) $(CROSS_ISA) || r=1; \
	for cpu in max cortex-a72; do \
	  $(CROSS_QEMU) -cpu $$cpu $(CROSS_DIFF) $(CROSS_SECONDS) || r=1; done; exit $$r
