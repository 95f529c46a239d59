# Weakly ordered memory.

CHECKS += check-ordering
.PHONY: check-ordering

## make check-ordering  the order of accesses to ring memory: ring logic under loom, header under ThreadSanitizer
check-ordering:
	@CARGO='$(CARGO)' CC='$(CROSS_COMPILE)gcc' c-tests/ordering/check.sh '$(B)'
