# Packages for distributions.

CHECKS += check-packages
.PHONY: deb check-packages

## make deb            Debian packages in build/deb/, which take the place of liburing2 and liburing-dev
deb:
	$(Q)CARGO='$(CARGO)' packaging/deb.sh '$(B)/deb'

## make check-packages  Debian packages under an unmodified qemu-img, and back; the RPM spec and the APKBUILD carried out
check-packages: deb
	$(Q)CARGO='$(CARGO)' build-aux/parts.sh "packaging/check-deb.sh '$(B)/deb'" packaging/check-recipes.sh
