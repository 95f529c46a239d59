# The project's own files: scripts and prose.

CHECKS += check-text
.PHONY: check-text

## make check-text     scripts, and documents: each make target is described, each that is named exists, each link leads somewhere
check-text:
	$(Q)PYTHON='$(PYTHON)' MAKE='$(MAKE)' build-aux/parts.sh build-aux/check-scripts.sh build-aux/check-docs.sh
