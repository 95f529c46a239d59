# The project's own files: scripts and prose.

CHECKS += check-text check-layers
.PHONY: check-text check-layers

## make check-text     scripts; documents: every make target is described, every named target and link exists
check-text:
	$(Q)PYTHON='$(PYTHON)' MAKE='$(MAKE)' build-aux/parts.sh build-aux/check-scripts.sh build-aux/check-docs.sh \
		build-aux/check-version.sh

## make check-layers   no import runs against the order of the layers in CONTRIBUTING.md, and none in a circle
check-layers:
	$(Q)$(PYTHON) build-aux/check-layers.py

## make set-version    VERSION=2.16.0: names another release of liburing in every place, and turns on what is prepared for it
.PHONY: set-version
set-version:
	$(Q)build-aux/check-version.sh '$(VERSION)'
