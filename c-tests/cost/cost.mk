# Costs of the libraries, as counts beside upstream's library: instructions, bytes, relocations and system calls.

CHECKS += check-cost
.PHONY: check-cost check-steps check-size check-startup check-inline-size

COSTS := check-steps check-size check-startup check-inline-size

## make check-cost     instructions, bytes and start-up beside upstream's library: check-steps, -size, -startup, -inline-size
check-cost: stage
	+$(Q)build-aux/parts.sh $(COSTS:%='$(MAKE) -s --no-print-directory %')

with_upstream = upstream=$$(build-aux/fetch-upstream.sh build) || exit $$?; CC='$(CC)' $(PYTHON) c-tests/cost/$(1)

## make check-steps    instructions executed in each call
check-steps: stage
	@$(call with_upstream,steps.py) '$(CHECK_PREFIX)' "$$upstream"

## make check-size     bytes of the libraries and of static programs
check-size: stage
	@$(call with_upstream,size.py) '$(CHECK_PREFIX)' "$$upstream"

## make check-startup  relocations and system calls of loading the library and of a ring
check-startup: stage
	@$(call with_upstream,startup.py) '$(CHECK_PREFIX)' "$$upstream"

## make check-inline-size  instructions of the inline functions, as gcc and clang compile them
check-inline-size:
	@$(call with_upstream,inline-size.py) include "$$upstream/include"
