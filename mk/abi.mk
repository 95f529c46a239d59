# The C interface against the recorded one: structures, constants, prototypes, symbols.

CHECKS += check-abi
.PHONY: check-abi

## make check-abi      layouts, constants, prototypes and symbols of the installation in CHECK_PREFIX
check-abi: stage
	@PYTHON='$(PYTHON)' tests/abi/check.sh $(CHECK_PREFIX)/include $(CHECK_PREFIX)/lib
