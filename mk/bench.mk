# Speed. Timing is not a check, but instructions are counted, not timed.

CHECKS += check-steps
.PHONY: bench check-steps

## make check-steps    instructions executed a call, beside upstream's library: none above, the mean at most 0.90
check-steps: stage
	@upstream=$$(scripts/fetch-upstream.sh build) || exit $$?; \
	CC='$(CC)' $(PYTHON) scripts/steps.py '$(CHECK_PREFIX)' "$$upstream"

## make bench          nop throughput beside upstream's library
bench: stage
	$(Q)CC='$(CC)' scripts/bench.sh '$(CHECK_PREFIX)'
