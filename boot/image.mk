# The bootable images: a static-PIE ELF core per host, linked twice (the second time with its own
# symbol table), carried by a PE loader that is compiled for the host's Windows ABI.

LOADER := -std=gnu17 -Os -ffreestanding -fno-stack-protector -fno-builtin -fshort-wchar \
          -fno-ms-extensions -mgeneral-regs-only -mno-stack-arg-probe -DEFIAPI= \
          -I. -Iboot/loader/include -isystem /usr/include/efi $(WARN)
LOADER_x86_64  := -mno-red-zone
LOADER_aarch64 :=
EMULATION_x86_64  := elf_x86_64
EMULATION_aarch64 := aarch64elf
LINK := -pie --no-dynamic-linker --gc-sections -z norelro -z noexecstack --build-id=none \
        -T linker/core.ld
loader_srcs = $(wildcard boot/loader/*.c boot/loader/$1/*.c) arch/bare/mem.c
loader_objs = $(patsubst %.c,$(B)/$1/loader/%.o,$(call loader_srcs,$1))

.PHONY: x86_64 aarch64
x86_64: $(B)/fvp-x86_64.efi ## build/fvp-x86_64.efi, the image for UEFI machines
aarch64: $(B)/fvp-aarch64.efi ## build/fvp-aarch64.efi, likewise

define image
$(B)/$1/core-%.elf: $(B)/$1/symtab-%.o $(call objs,$1,$1) $(LIBS_$1) linker/core.ld
	@ld.lld -m $(EMULATION_$1) $(LINK) $$(filter-out %.ld,$$^) -o $$@
$(B)/$1/symtab-first.S: linker/symtab.sh
	@mkdir -p $$(@D)
	@linker/symtab.sh < /dev/null > $$@
$(B)/$1/symtab-final.S: $(B)/$1/core-first.elf linker/symtab.sh
	@llvm-nm -n $$< | linker/symtab.sh > $$@
$(B)/$1/symtab-%.o: $(B)/$1/symtab-%.S | $(PACKAGES)
	@$(CLANG) $(FLAGS_$1) -c $$< -o $$@
$(B)/$1/core.bin: $(B)/$1/core-final.elf
	@llvm-objcopy --strip-all $$< $$@
$(B)/$1/loader/%.o: %.c | $(PACKAGES)
	@mkdir -p $$(@D)
	@$(CLANG) --target=$1-unknown-windows $(LOADER) $(LOADER_$1) -I$(B)/$1 \
	  -MMD -MP -c $$< -o $$@
$(B)/$1/loader/boot/loader/$1/host.o: $(B)/$1/core.bin
$(B)/fvp-$1.efi: $(call loader_objs,$1)
	@lld-link -subsystem:efi_application -entry:efi_main -nodefaultlib -timestamp:0 -out:$$@ $$^
	@test $$$$(stat -c %s $$@) -le 1048576 || { echo "$$@ exceeds 1 MiB" >&2; exit 1; }
endef
$(eval $(call image,x86_64))
$(eval $(call image,aarch64))

# What of the boot code is legal in a process, for the unit tests.
TESTED += boot/acpi boot/loader/pie boot/loader/date
TESTED += boot/fdt arch/aarch64/sys/esr arch/aarch64/sys/stage1 arch/aarch64/sys/affinity
