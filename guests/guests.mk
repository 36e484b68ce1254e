# What comes from Debian: the tools and libraries (a stamp makes asking quick), the guests' images.

export CACHE

.PHONY: packages guests
packages: $(PACKAGES) ## install what is missing to build, run and test (apt-get)
$(PACKAGES): guests/packages.sh
	@mkdir -p $(@D)
	@guests/packages.sh install && touch $@

GUESTS := $(foreach a,riscv64 aarch64 x86_64,$(B)/guests/$a/initrd.gz)
guests: $(GUESTS) ## Debian kernels and busybox for build/guests/{riscv64,aarch64,x86_64}
$(GUESTS): $(B)/guests/%/initrd.gz: guests/images.sh guests/packages.sh | $(PACKAGES)
	@mkdir -p $(@D)
	@guests/images.sh $* $(@D)
$(GUESTS:initrd.gz=Image): %/Image: %/initrd.gz
	@touch $@
