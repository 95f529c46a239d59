# The source archive, and builds that can be repeated.

CHECKS += check-dist check-reproducible
.PHONY: dist report check-dist check-reproducible

## make dist           the source archive in build/dist/
dist:
	$(Q)CARGO='$(CARGO)' scripts/dist.sh '$(B)/dist'

## make report         sizes and symbols of the libraries, for the release notes (build/report.md)
report: $(SHARED_LIBRARIES)
	@upstream=$$(scripts/fetch-upstream.sh build) || upstream=; \
	READELF='$(READELF)' STRIP='$(STRIP)' scripts/report.sh '$(B)' '$(VERSION)' "$$upstream" >'$(B)/report.md'
	@cat '$(B)/report.md'

## make check-dist     the source archive is complete and builds offline
check-dist:
	+$(Q)MAKE='$(MAKE)' CARGO='$(CARGO)' scripts/check-dist.sh archive

## make check-reproducible  two builds in different directories give the same bytes
check-reproducible:
	+$(Q)MAKE='$(MAKE)' CARGO='$(CARGO)' scripts/check-dist.sh reproducible
