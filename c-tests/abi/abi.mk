# The C interface against the recorded one: structures, constants, prototypes, symbols.

CHECKS += check-abi
.PHONY: check-abi

## make check-abi      layouts, constants, prototypes and symbols as recorded, names as upstream's; C tests name every function
check-abi: stage
	$(Q)PYTHON='$(PYTHON)' build-aux/parts.sh "c-tests/abi/check.sh '$(CHECK_PREFIX)/include' '$(CHECK_PREFIX)/lib'" \
		"c-tests/abi/upstream.sh '$(CHECK_PREFIX)/include' '$(CHECK_PREFIX)/lib'" \
		"'$(PYTHON)' c-tests/coverage.py src/liburing.map src/liburing-ffi.map c-tests"
