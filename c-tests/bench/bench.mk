# Times. They are not a check.

.PHONY: bench

## make bench          times beside upstream's library, bare system calls, the io-uring crate and the check library; QUICK=1:
##                     about a minute
bench: stage checker
	$(Q)CC='$(CC)' CARGO='$(CARGO)' PYTHON='$(PYTHON)' $(PYTHON) c-tests/bench/report '$(CHECK_PREFIX)' $(B)/checker $(B)/bench \
		$(if $(QUICK),$(B)/bench/quick --quick,docs/bench --into docs/performance.md)
	$(if $(QUICK),,$(Q)CC='$(CC)' $(PYTHON) c-tests/cost/steps.py '$(CHECK_PREFIX)' "$$(build-aux/fetch-upstream.sh build)" \
		--json docs/bench/instructions.json >$(B)/bench/steps.log)
