# Runs the checks. A check is a target check-NAME whose name is in CHECKS. Its recipe's exit status counts: 0 passed, 77
# skipped, anything else failed. A check that skips prints a line "SKIP: reason". A check that passes but leaves out a
# part prints such a line too. Both are counted and shown at the end.

.PHONY: check check-list deps

# So many checks run beside each other.
JOBS ?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))

## make check          every check; ONLY="check-elf check-abi" picks some, V=1 shows their output, JOBS=1 runs one at a time
check: deps
	$(Q)MAKE='$(MAKE)' O='$(O)' LOGS='$(B)/check' JOBS='$(JOBS)' VERBOSE='$(V)' build-aux/check.sh $(or $(ONLY),$(CHECKS))

## make check-list     the names of the checks
check-list:
	@printf '%s\n' $(CHECKS)

## make deps           installs what the checks need if this user may; otherwise prints what is missing
deps:
	$(Q)PYTHON='$(PYTHON)' build-aux/deps.sh
