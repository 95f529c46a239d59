# Speed. Timing is not a check.

.PHONY: bench

## make bench          nop throughput beside upstream's library
bench: stage
	$(Q)CC='$(CC)' scripts/bench.sh '$(CHECK_PREFIX)'
