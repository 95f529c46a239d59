# The header's inline functions against the symbols of liburing-ffi: the results must be equal, byte for byte.
#
# PARITY_LIBDIR=DIR compares them with another installation of liburing.

CHECKS += check-parity
.PHONY: check-parity

PARITY_ROUNDS ?= 5000
PARITY_SEED ?= 1
PARITY_LIBDIR ?= $(B)
PARITY_SOURCES := $(wildcard c-tests/parity/*.c)
PARITY_DEPS := $(PARITY_SOURCES) c-tests/parity/parity.h $(B)/parity/table.h $(wildcard include/*.h include/liburing/*.h)
PARITY_MAPS := src/liburing-ffi.map src/liburing.map
# The world that functions act on has one type and is read as several.
PARITY_FLAGS := -D_GNU_SOURCE -std=gnu11 -g -Wall -Wextra -Werror -fno-strict-aliasing -Iinclude -I'$(B)/parity'
PARITY_PROGRAMS := gcc $(if $(shell command -v clang),clang) san
PARITY_CC_gcc := $(CROSS_COMPILE)gcc -O2
PARITY_CC_clang := clang -O2
PARITY_CC_san := $(CROSS_COMPILE)gcc -O0 -fsanitize=address,undefined -fno-sanitize-recover=undefined
# Sanitizers are slow.
PARITY_ROUNDS_san := 500

$(B)/parity/table.h: c-tests/parity/table.py c-tests/header_inlines.py $(wildcard include/*.h include/liburing/*.h)
	$(Q)mkdir -p '$(@D)'
	$(Q)$(PYTHON) c-tests/parity/table.py include $(CROSS_COMPILE)gcc > '$@'

define parity_rule
$(B)/parity/parity-$(1): $(PARITY_DEPS)
	$$(call say,CC,parity-$(1))
	$$(Q)$(PARITY_CC_$(1)) $(PARITY_FLAGS) $(PARITY_SOURCES) -o '$$@' -ldl
endef
$(foreach program,$(PARITY_PROGRAMS),$(eval $(call parity_rule,$(program))))

## make check-parity   every inline function of the header against its symbol, with random input
check-parity: library $(PARITY_PROGRAMS:%=$(B)/parity/parity-%)
	$(if $(filter clang,$(PARITY_PROGRAMS)),,@echo 'SKIP: there is no clang; the header is compiled with gcc only')
	$(Q)for program in $(PARITY_PROGRAMS); do \
		rounds='$(PARITY_ROUNDS)'; [ $$program != san ] || rounds='$(PARITY_ROUNDS_san)'; \
		'$(B)/parity/parity-'$$program -r $$rounds -s '$(PARITY_SEED)' '$(PARITY_LIBDIR)/liburing-ffi.so.$(VERSION_MAJOR)' \
			'$(PARITY_LIBDIR)/liburing.so.$(VERSION_MAJOR)' $(PARITY_MAPS) || exit 1; \
	done
