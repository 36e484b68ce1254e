# `make run`: an image in QEMU, booted by UEFI from a FAT volume with a Debian kernel and a busybox
# initramfs. HOST=x86_64|aarch64 picks the machine, CONFIG another fvp.toml, X=1 prints the
# command instead. boot/qemu.sh tells what else the environment can change.

CONFIG ?= boot/run.toml
RUN_FILES := guests/riscv64/Image guests/riscv64/initrd.gz

.PHONY: run
ifeq ($(filter x86_64 aarch64,$(HOST)),)
$(error HOST=$(HOST) is unknown: x86_64 or aarch64)
endif
run: $(PACKAGES) $(B)/esp-$(HOST).img ## boot to a guest's shell in QEMU; HOST=, X=1 prints
	@boot/qemu.sh $(HOST) $(B)/esp-$(HOST).img

$(B)/esp-%.img: $(B)/fvp-%.efi boot/esp.sh $(CONFIG) $(RUN_FILES:%=$(B)/%) | $(PACKAGES)
	@boot/esp.sh $@ $< $(CONFIG) $(foreach f,$(RUN_FILES),$(f)=$(B)/$(f))
