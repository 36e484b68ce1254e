# Berkeley SoftFloat-3e, one archive per flavour, compiled like our own code. Only its RISCV
# specialisation is built: fp.c treats NaNs, tininess and integer limits of every guest itself.
# Each function is an object of its own, so a program carries what it calls.

SOFTFLOAT := $(CACHE)/softfloat-3e-edk2-2022.11
SOFTFLOAT_FLAGS := -ftls-model=local-exec -Iengine/fp \
                   -isystem $(SOFTFLOAT)/source/include -isystem $(SOFTFLOAT)/source/RISCV

$(SOFTFLOAT)/COPYING.txt: | $(PACKAGES)
	@CACHE=$(CACHE) engine/fp/softfloat.sh $(@D)

# The M forms pass values by pointer, for machines without 64-bit integers.
define softfloat
LIBS_$1 += $(B)/$1/libsoftfloat.a
$(B)/$1/engine/fp/fp.o: BASE += $(SOFTFLOAT_FLAGS)
$(B)/$1/engine/fp/fp.o: $(SOFTFLOAT)/COPYING.txt
$(B)/$1/libsoftfloat.a: $(SOFTFLOAT)/COPYING.txt engine/fp/platform.h engine/fp/softfloat.mk \
		| $(PACKAGES)
	@rm -rf $$@ $(B)/$1/softfloat && mkdir -p $(B)/$1/softfloat
	@find $(SOFTFLOAT)/source $(SOFTFLOAT)/source/RISCV -maxdepth 1 -name '*.c' \
	  ! -name '*M_*' \( ! -name '*M.c' -o -name '*256M.c' \) | \
	  xargs -P 2 -I @ sh -c '$(CLANG) $(filter-out -W% -I% -g,$(BASE)) $(FLAGS_$2) \
	    -w $(SOFTFLOAT_FLAGS) -c @ -o $(B)/$1/softfloat/$$$$(basename @ .c).o || exit 255'
	@llvm-ar rcs $$@ $(B)/$1/softfloat/*.o
endef
$(eval $(call softfloat,hosted,hosted))
$(eval $(call softfloat,san,hosted))
$(eval $(call softfloat,x86_64,x86_64))
$(eval $(call softfloat,aarch64,aarch64))
