# Other architectures.

CHECKS += check-cross
.PHONY: check-cross

## make check-cross    the libraries for 64-bit ARM and RISC-V, and two architectures that go through libc
check-cross:
	MAKE='$(MAKE)' CARGO='$(CARGO)' c-tests/cross/check.sh $(B)/cross
