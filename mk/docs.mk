# The project's own files: scripts and prose.

CHECKS += check-scripts check-docs
.PHONY: check-scripts check-docs

## make check-scripts  shellcheck on every shell script, and Python that compiles
check-scripts:
	$(Q)PYTHON='$(PYTHON)' scripts/check-scripts.sh

## make check-docs     each make target is described, each that is named exists, each link leads somewhere
check-docs:
	$(Q)MAKE='$(MAKE)' scripts/check-docs.sh
