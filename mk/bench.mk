# Speed. Timing is not a check, but instructions are counted, not timed.

CHECKS += check-steps check-size check-startup
.PHONY: bench check-steps check-size check-startup

## make check-steps    instructions executed a call, beside upstream's library: none above, the mean at most 0.90
check-steps: stage
	@upstream=$$(scripts/fetch-upstream.sh build) || exit $$?; \
	CC='$(CC)' $(PYTHON) scripts/steps.py '$(CHECK_PREFIX)' "$$upstream"

## make check-size     bytes of the libraries and of static programs, beside upstream's: none above
check-size: stage
	@upstream=$$(scripts/fetch-upstream.sh build) || exit $$?; \
	CC='$(CC)' $(PYTHON) scripts/size.py '$(CHECK_PREFIX)' "$$upstream"

## make check-startup  relocations and system calls of loading the library and of a ring, beside upstream's: none above
check-startup: stage
	@upstream=$$(scripts/fetch-upstream.sh build) || exit $$?; \
	CC='$(CC)' $(PYTHON) scripts/startup.py '$(CHECK_PREFIX)' "$$upstream"

## make bench          nop throughput beside upstream's library
bench: stage
	$(Q)CC='$(CC)' scripts/bench.sh '$(CHECK_PREFIX)'
