# Packages for distributions: packaging/.

CHECKS += check-deb check-recipes
.PHONY: deb check-deb check-recipes

## make deb            Debian packages in build/deb/, which take the place of liburing2 and liburing-dev
deb:
	$(Q)CARGO='$(CARGO)' scripts/deb.sh '$(B)/deb'

## make check-deb      the Debian packages in place of Debian's own, under an unmodified qemu-img, and back
check-deb: deb
	$(Q)scripts/check-deb.sh '$(B)/deb'

## make check-recipes  the RPM spec and the APKBUILD: looked through, and what they do done
check-recipes:
	$(Q)CARGO='$(CARGO)' scripts/check-recipes.sh
