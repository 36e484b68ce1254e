# The decode-table tool and what it makes of each front end's table.
DECODE := $(B)/tool/decode
$(DECODE): engine/tool/decode.c | $(PACKAGES)
	@mkdir -p $(@D)
	@$(CLANG) -std=c17 -O1 -Wall -Wextra -Werror $< -o $@

# $1 = folder, $2 = table
define decode
GEN += $(B)/gen/$1/decode.inc
$(B)/gen/$1/decode.inc: $1/$2 $(DECODE)
	@mkdir -p $$(@D)
	@$(DECODE) $1/$2 $$(@D)
$(B)/gen/$1/rows.inc $(B)/gen/$1/coverage.md: $(B)/gen/$1/decode.inc ;
COVERAGE += $(B)/gen/$1/coverage.md
endef
$(eval $(call decode,engine/front/rv64,rv64.def))

.PHONY: coverage
coverage: $(GEN) ## the guest instructions that are implemented
	@cat $(COVERAGE)
