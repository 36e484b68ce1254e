# FVP. `make help` lists the targets. A build is a list of folders: hosts differ by which
# folders are compiled, never by #ifdef. No recursion; objects mirror the tree under build/.

HOST ?= x86_64
CLANG ?= clang
CACHE ?= $(HOME)/.cache/fvp
B := build
# tools and libraries are installed: guests/guests.mk
PACKAGES := $(B)/packages.stamp
GEN := $(PACKAGES)
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:

# ---- folders -------------------------------------------------------------------------
MACHINE := $(shell uname -m)
CORE := kernel/base kernel mmu mmu/tuning engine engine/tuning engine/fp engine/ir \
        engine/front/rv64 engine/front/a64 engine/front/x86 engine/back/interp engine/back/jit \
        engine/back/x86_64 engine/back/aarch64 drivers/port drivers/model drivers/model/virtio \
        drivers/model/pci drivers/model/rv drivers/model/arm drivers/model/x86 guests
BARE := $(CORE) arch/bare boot drivers/host

HOSTED := $(CORE) kernel/cli arch/hosted

DIRS_hosted  := $(HOSTED) arch/hosted/$(MACHINE)
DIRS_hosted_aarch64 := $(HOSTED) arch/hosted/aarch64
DIRS_x86_64  := $(BARE) arch/x86_64 arch/x86_64/sys arch/x86_64/vt arch/x86_64/svm arch/x86_64/vmx \
                boot/x86_64
DIRS_aarch64 := $(BARE) arch/aarch64 arch/aarch64/sys arch/aarch64/el2 boot/aarch64

CPU_hosted  := $(MACHINE)
CPU_x86_64  := x86_64
CPU_aarch64 := aarch64

# ---- flags ---------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
        -Wno-unused-parameter -Wno-missing-field-initializers -Werror
BASE := -std=gnu17 -O2 -g -ffreestanding -fno-common -fno-strict-aliasing -fwrapv \
        -ffunction-sections -mgeneral-regs-only -I. -I$(B)/gen $(WARN)
FLAGS_hosted  := -fpie -fasynchronous-unwind-tables
FLAGS_x86_64  := --target=x86_64-unknown-none-elf -fpie -mno-red-zone -fcf-protection=none \
                 -fno-omit-frame-pointer
FLAGS_aarch64 := --target=aarch64-none-elf -fpie -mno-outline-atomics -mtp=el2 -mstrict-align
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

.PHONY: all help hosted unit clean
all: hosted x86_64 aarch64 ## the hosted program and both images

help: ## this list
	@grep -hE '^[a-z0-9_-]+:.*##' Makefile $(wildcard */*.mk */*/*.mk) | \
		sed -E 's/:.*## /\t/' | expand -t 12

include engine/tool/decode.mk

# ---- objects: build/<flavour>/<path>.o -------------------------------------------------
# flavours: hosted, x86_64, aarch64, and san (hosted under sanitizers, for tests)
srcs = $(foreach d,$(DIRS_$1),$(wildcard $d/*.c $d/*.S))
objs = $(patsubst %,$(B)/$2/%.o,$(basename $(call srcs,$1)))

define flavour
$(B)/$1/%.o: %.c | $(GEN)
	@mkdir -p $$(@D)
	@$(CLANG) $$(BASE) $(FLAGS_$2) $3 -Iarch/$(CPU_$2)/cpu -MMD -MP -c $$< -o $$@
$(B)/$1/%.o: %.S | $(PACKAGES)
	@mkdir -p $$(@D)
	@$(CLANG) $(FLAGS_$2) -I. -MMD -MP -c $$< -o $$@
endef
$(eval $(call flavour,hosted,hosted,))
$(eval $(call flavour,san,hosted,$(SAN)))
$(eval $(call flavour,x86_64,x86_64,))
$(eval $(call flavour,aarch64,aarch64,))

# Only the process's own folder and the tests may use libc and its floating point.
$(B)/hosted/arch/hosted/%.o $(B)/san/arch/hosted/%.o $(B)/san/test/%.o: BASE := \
	$(filter-out -ffreestanding -mgeneral-regs-only,$(BASE)) -D_GNU_SOURCE

include engine/fp/softfloat.mk
include guests/zlib.mk

# ---- hosted program ------------------------------------------------------------------
hosted: $(B)/fvp ## build/fvp, FVP as a Linux process
$(B)/fvp: $(call objs,hosted,hosted) $(LIBS_hosted)
	@$(CLANG) -pie -pthread -g $^ -o $@

# ---- images ----------------------------------------------------------------------------
include boot/image.mk
include drivers/host/font.mk

# ---- unit tests: test/unit/**/x_test.c, each a cmocka program over one sanitised archive ----
UNIT := $(patsubst %.c,%,$(shell find test/unit -name '*_test.c' 2>/dev/null))
LIB_san := $(filter-out %/arch/hosted/main.o,$(call objs,hosted,san)) $(TESTED:%=$(B)/san/%.o)
$(B)/san/libfvp.a: $(LIB_san)
	@rm -f $@ && llvm-ar rcs $@ $^
$(B)/san/test/unit/%_test: $(B)/san/test/unit/%_test.o $(B)/san/libfvp.a $(LIBS_san)
	@$(CLANG) $(SAN) -pthread $^ -lcmocka -o $@
# The paths among $1 that have $T in them.
picked = $(foreach t,$1,$(if $(or $(if $T,,all),$(findstring $T,$t)),$t))
UNIT_PICKED := $(sort $(patsubst %,$(B)/san/%,$(call picked,$(UNIT))))
unit: $(UNIT_PICKED) ## unit tests under ASan and UBSan; T=mmu/tlb picks
	@r=0; for t in $(UNIT_PICKED); do echo "== $$t"; $$t || r=1; done; exit $$r

include test/fuzz/fuzz.mk

include test/diff/diff.mk
include test/golden/golden.mk
include test/isa/isa.mk
include test/cross/cross.mk
include test/lengths/lengths.mk
include guests/guests.mk
include boot/run.mk

# ---- tests -----------------------------------------------------------------------------
include test/test.mk
include test/hostile/hostile.mk
include test/bench/bench.mk
include test/check/check.mk

clean: ## remove build/
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
