# The frame in which the checks run. A check is a target check-NAME whose name is in CHECKS. Its recipe's exit status
# counts: 0 passed, 77 skipped, anything else failed. One that skips prints a line "SKIP: reason"; one that leaves out a
# part of its work and passes prints such a line as well. Both are counted and shown at the end.

.PHONY: check check-list deps

## make check          every check; ONLY="check-elf check-abi" picks some, V=1 shows their output
check: deps
	$(Q)MAKE='$(MAKE)' LOGS='$(B)/check' VERBOSE='$(V)' build-aux/check.sh $(or $(ONLY),$(CHECKS))

## make check-list     the names of the checks
check-list:
	@printf '%s\n' $(CHECKS)

## make deps           installs what the checks need where this user may, says what is missing otherwise
deps:
	$(Q)PYTHON='$(PYTHON)' build-aux/deps.sh
