# Upstream's own test suite, unmodified, on upstream's library, our .a and our .so.

CHECKS += check-conformance-short
.PHONY: conformance check-conformance-short

CONFORMANCE_PREFIX ?= $(CHECK_PREFIX)
CONFORMANCE_INSTALLED := $(if $(filter file,$(origin CONFORMANCE_PREFIX)),$(B)/stage.stamp)
CONFORMANCE = $(PYTHON) -B c-tests/conformance/run.py --ours-prefix '$(CONFORMANCE_PREFIX)'

## make conformance    all of upstream's tests and examples, compared (ARGS="--only nop poll", ARGS=--help)
conformance: $(CONFORMANCE_INSTALLED)
	$(Q)$(CONFORMANCE) --output $(B)/conformance $(ARGS)

## make check-conformance-short  upstream's quick tests, compared
check-conformance-short: $(CONFORMANCE_INSTALLED)
	$(Q)$(PYTHON) -B -m unittest discover -q -s c-tests/conformance
	$(Q)$(CONFORMANCE) --output $(B)/conformance-short --selection c-tests/conformance/short.txt --no-examples
