# The C interface against the recorded one: structures, constants, prototypes, symbols.

CHECKS += check-abi
.PHONY: check-abi

## make check-abi      layouts, constants, prototypes and symbols are the recorded ones, and the C tests name every function
check-abi: stage
	@PYTHON='$(PYTHON)' c-tests/abi/check.sh $(CHECK_PREFIX)/include $(CHECK_PREFIX)/lib
	$(Q)$(PYTHON) c-tests/coverage.py src/liburing.map src/liburing-ffi.map c-tests
