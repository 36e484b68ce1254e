# zlib's inflate, one archive per flavour, compiled like our own code: Z_SOLO needs nothing of a
# libc, Z_PREFIX keeps its names apart. Only guests/load_gzip.c sees its header.

ZLIB := $(CACHE)/zlib-1.2.13
ZLIB_FLAGS := -DZ_SOLO -DZ_PREFIX -isystem $(ZLIB)
ZLIB_SRC := adler32 crc32 inffast inflate inftrees zutil

$(ZLIB)/LICENSE: | $(PACKAGES)
	@CACHE=$(CACHE) guests/zlib.sh $(@D)

define zlib
LIBS_$1 += $(B)/$1/libz.a
$(B)/$1/guests/load_gzip.o: BASE += $(ZLIB_FLAGS)
$(B)/$1/guests/load_gzip.o: $(ZLIB)/LICENSE
$(B)/$1/libz.a: $(ZLIB)/LICENSE guests/zlib.mk | $(PACKAGES)
	@rm -rf $$@ $(B)/$1/zlib && mkdir -p $(B)/$1/zlib
	@for f in $(ZLIB_SRC); do \
	  $(CLANG) $(filter-out -W% -I% -g,$(BASE)) $(FLAGS_$2) -w $(ZLIB_FLAGS) \
	    -c $(ZLIB)/$$$$f.c -o $(B)/$1/zlib/$$$$f.o || exit 1; done
	@llvm-ar rcs $$@ $(B)/$1/zlib/*.o
endef
$(eval $(call zlib,hosted,hosted))
$(eval $(call zlib,san,hosted))
$(eval $(call zlib,x86_64,x86_64))
$(eval $(call zlib,aarch64,aarch64))
$(B)/fuzz/guests/load_gzip.o: BASE += $(ZLIB_FLAGS)
$(B)/fuzz/guests/load_gzip.o: $(ZLIB)/LICENSE
