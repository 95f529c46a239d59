# Programs built against an installation.

CHECKS += check-consuming
.PHONY: check-consuming

## make check-consuming  the examples through CMake, Meson and pkg-config, against a prefix with a space
check-consuming: library
	$(Q)CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' tests/consuming/check.sh '$(B)' '$(VERSION)'
