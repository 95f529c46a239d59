# Other architectures.

CHECKS += check-cross check-c-i386
.PHONY: check-cross check-c-i386

## make check-cross    the libraries for the architectures that distributors build (ARCHES="arm64 i386" picks some)
check-cross:
	@upstream=$$(build-aux/fetch-upstream.sh build) || upstream=; \
	MAKE='$(MAKE)' CARGO='$(CARGO)' UPSTREAM_INCLUDE="$${upstream:+$$upstream/include}" c-tests/cross/check.sh '$(ABSOLUTE_B)/cross' $(ARCHES)

## make check-c-i386   the C tests for 32-bit x86, by gcc, run on this machine's kernel (TESTS="nop poll")
check-c-i386:
	@MAKE='$(MAKE)' CARGO='$(CARGO)' TESTS='$(TESTS)' c-tests/cross/run-here.sh '$(ABSOLUTE_B)/c-tests-i386'
