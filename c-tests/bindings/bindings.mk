# The library from other languages.

CHECKS += check-bindings
.PHONY: check-bindings

## make check-bindings  I/O through liburing-ffi.h from Rust (bindgen) and Python (cffi), through liburing.h from Zig
check-bindings: stage
	$(Q)CARGO='$(CARGO)' PYTHON='$(PYTHON)' CC='$(CC)' c-tests/bindings/check.sh '$(CHECK_PREFIX)' '$(ABSOLUTE_B)/bindings'
