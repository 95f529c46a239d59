# The generated headers, and the comments above inline functions in the others, which are the summaries of the manual.
# They are committed, so only a change of the Rust sources needs cbindgen.

HEADERS_TOOL := tools/headers/Cargo.toml
CHECKS += check-headers
.PHONY: headers check-headers

## make headers        writes the generated headers in include/ anew, and comments in the others
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
	$(Q)cd $(B)/headers; headers=$$(find . -name '*.h'); for header in $$headers; do \
		diff -u '$(CURDIR)'/include/$$header $$header || exit 1; \
	done; echo "$$(printf '%s\n' $$headers | wc -l) headers are up to date"
	+$(Q)$(MAKE) --no-print-directory check-headers-2019
