# Lengths of x86 instructions, against those that disassemblers list: in programs of the machine's
# and in LENGTHS_COUNT=40000 made-up instructions per mode.
LENGTHS := $(B)/san/test/lengths/x86_lengths
LENGTHS_ELFS := $(B)/fvp $(wildcard /lib/x86_64-linux-gnu/libc.so.6 \
                /usr/lib/x86_64-linux-gnu/libcrypto.so.3)
$(LENGTHS): $(LENGTHS).o $(B)/san/libfvp.a
	@$(CLANG) $(SAN) -pthread $^ -o $@

.PHONY: lengths
lengths: $(LENGTHS) $(B)/fvp ## lengths of x86 instructions: we against disassemblers
	@test/lengths/lengths.py $(LENGTHS) $(LENGTHS_ELFS)
