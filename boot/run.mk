# `make run`: an image in QEMU, booted by UEFI from a FAT volume with Debian kernels and busybox
# initramfs. HOST=x86_64|aarch64 picks the machine, CONFIG another fvp.toml, X=1 prints the
# command instead. boot/qemu.sh tells what else the environment can change.

CONFIG ?= boot/run-$(HOST).toml
RUN_FILES := $(foreach a,$(HOST) riscv64,guests/$a/Image guests/$a/initrd.gz)
RUN_CPU_x86_64 := EPYC,+svm,-monitor

.PHONY: run
ifeq ($(filter x86_64 aarch64,$(HOST)),)
$(error HOST=$(HOST) is unknown: x86_64 or aarch64)
endif
run: $(PACKAGES) $(B)/esp-$(HOST).img ## boot to guests' shells in QEMU; HOST=, X=1 prints
	@CPU=$${CPU:-$(RUN_CPU_$(HOST))} boot/qemu.sh $(HOST) $(B)/esp-$(HOST).img

$(B)/esp-%.img: $(B)/fvp-%.efi boot/esp.sh $(CONFIG) $(RUN_FILES:%=$(B)/%) | $(PACKAGES)
	@boot/esp.sh $@ $< $(CONFIG) $(foreach f,$(RUN_FILES),$(f)=$(B)/$(f))
