# Other architectures.

CHECKS += check-cross
.PHONY: check-cross

## make check-cross    the libraries for the architectures that distributors build (ARCHES="arm64 i386" picks some)
check-cross:
	@upstream=$$(build-aux/fetch-upstream.sh build) || upstream=; \
	MAKE='$(MAKE)' CARGO='$(CARGO)' UPSTREAM_INCLUDE="$${upstream:+$$upstream/include}" c-tests/cross/check.sh '$(ABSOLUTE_B)/cross' $(ARCHES)
