# The generated headers. They are committed, so only a change of the Rust sources needs cbindgen.

HEADERS_TOOL := tools/headers/Cargo.toml
GENERATED := $(addprefix liburing/,io_uring.h io_uring/query.h io_uring/bpf_filter.h io_uring_version.h types.h functions.h) \
	liburing-ffi.h

CHECKS += check-headers
.PHONY: headers check-headers

## make headers        writes the generated headers in include/ anew, from the Rust sources
headers:
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools -- . include

## make check-headers  the committed headers are what the Rust sources give
check-headers:
	@if ! $(CARGO) fetch --quiet --locked --manifest-path $(HEADERS_TOOL); then echo 'SKIP: cbindgen can not be had'; exit 77; fi
	$(Q)$(CARGO) fmt --check --manifest-path $(HEADERS_TOOL)
	$(Q)$(CARGO) clippy --quiet --locked --all-targets --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools -- -D warnings
	$(Q)$(CARGO) test --quiet --locked --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools
	$(Q)rm -rf $(B)/headers
	$(Q)mkdir -p $(B)/headers
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools -- . $(B)/headers
	$(Q)for header in $(GENERATED); do \
		diff -u include/$$header $(B)/headers/$$header || exit 1; \
	done
	@echo '$(words $(GENERATED)) headers are up to date'
	+$(Q)$(MAKE) --no-print-directory check-headers-seed
