# Programs built against an installation.

CHECKS += check-consuming
.PHONY: check-consuming

## make check-consuming  the examples compile, run, and build through CMake, Meson and pkg-config, also below a path with a space
check-consuming: stage
	$(Q)CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' build-aux/parts.sh "c-tests/consuming/examples.sh '$(CHECK_PREFIX)'" \
		"c-tests/consuming/check.sh '$(B)' '$(VERSION)'"
