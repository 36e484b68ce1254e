# The console fonts, and what of the native drivers is legal in a process, for the tests.
FONTS := $(B)/gen/spleen-8x16.psf $(B)/gen/spleen-16x32.psf
$(B)/gen/spleen-%.psf: | $(PACKAGES)
	@mkdir -p $(@D)
	@gunzip -c /usr/share/consolefonts/spleen-$*.psfu.gz > $@
$(foreach f,san fuzz x86_64 aarch64,$(B)/$f/drivers/host/font.o): $(FONTS)

TESTED += drivers/host/fbcon drivers/host/font drivers/host/psf drivers/host/ramdisk drivers/host/vt
