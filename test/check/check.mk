# What the compiler does not see: see check.py. Headers are compiled with their own flavour's flags.

CHECK_FLAGS = $(BASE) $(SOFTFLOAT_FLAGS) -Wno-unused-function
CHECK_CC := \
  CHECK_CC_x86_64='$(CLANG) $(CHECK_FLAGS) $(FLAGS_x86_64) -Iarch/x86_64/cpu' \
  CHECK_CC_aarch64='$(CLANG) $(CHECK_FLAGS) $(FLAGS_aarch64) -Iarch/aarch64/cpu' \
  CHECK_CC_process='$(CLANG) $(filter-out -ffreestanding -mgeneral-regs-only,$(CHECK_FLAGS)) \
                    -D_GNU_SOURCE -Iarch/$(CPU_hosted)/cpu' \
  CHECK_CC_loader='$(CLANG) --target=x86_64-unknown-windows $(LOADER) $(LOADER_x86_64)' \
  CHECK_CC_loader_aarch64='$(CLANG) --target=aarch64-unknown-windows $(LOADER) $(LOADER_aarch64)'

.PHONY: check format
check: $(GEN) $(SOFTFLOAT)/COPYING.txt ## layers, headers, sizes, format, names, words; T=FILE picks
	@$(CHECK_CC) $(PYTHON) test/check/check.py $(T)
format: ## break lines longer than 100 columns in C files; T=FILE picks
	@$(PYTHON) test/check/format.py $(T)
