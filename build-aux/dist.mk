# The source archive, and reproducible builds.

CHECKS += check-dist
.PHONY: dist report check-dist

## make dist           the source archive in build/dist/
dist:
	$(Q)CARGO='$(CARGO)' build-aux/dist.sh '$(B)/dist'

## make report         sizes and symbols of the libraries, for the release notes (build/report.md)
report: $(SHARED_LIBRARIES)
	@upstream=$$(build-aux/fetch-upstream.sh build) || upstream=; \
	READELF='$(READELF)' STRIP='$(STRIP)' build-aux/report.sh '$(B)' '$(VERSION)' "$$upstream" >'$(B)/report.md'
	@cat '$(B)/report.md'

## make check-dist     the source archive is complete and builds offline, and two builds give the same bytes
check-dist:
	+$(Q)MAKE='$(MAKE)' CARGO='$(CARGO)' build-aux/parts.sh 'build-aux/check-dist.sh archive' 'build-aux/check-dist.sh reproducible'
