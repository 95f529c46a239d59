# Unmodified programs, as Debian packages them, run on the library.

CHECKS += check-consumers
.PHONY: check-consumers

## make check-consumers  other people's programs on the library and on Debian's (CONSUMERS=qemu picks one)
check-consumers: stage
	LIBURING_LIBDIR='$(CHECK_PREFIX)/lib' c-tests/consumers/run.sh $(CONSUMERS)
