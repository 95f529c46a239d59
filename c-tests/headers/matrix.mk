# The installed headers under many compilers.

CHECKS += check-header-matrix
.PHONY: check-header-matrix

## make check-header-matrix  the installed headers in every language version and order of includes, as a table
check-header-matrix: stage
	@PYTHON='$(PYTHON)' c-tests/headers/matrix.sh $(CHECK_PREFIX)/include $(CHECK_PREFIX)/lib CONTRIBUTING.md
