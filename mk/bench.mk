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

## make bench          times beside upstream's library, bare system calls and the io-uring crate; QUICK=1: about a minute
bench: stage
	$(Q)CC='$(CC)' CARGO='$(CARGO)' PYTHON='$(PYTHON)' $(PYTHON) scripts/bench '$(CHECK_PREFIX)' $(B)/bench \
		$(if $(QUICK),$(B)/bench/quick --quick,docs/bench --into README.md)
	$(if $(QUICK),,$(Q)CC='$(CC)' $(PYTHON) scripts/steps.py '$(CHECK_PREFIX)' "$$(scripts/fetch-upstream.sh build)" \
		--json docs/bench/instructions.json >$(B)/bench/steps.log)
