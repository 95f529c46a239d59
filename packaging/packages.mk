# Packages for distributions.

CHECKS += check-packages
.PHONY: deb check-packages

## make deb            Debian packages in build/deb/, to install beside liburing2 or in its place (DEB_ARCH=arm64 cross-builds)
deb:
	$(Q)CARGO='$(CARGO)' packaging/deb.sh '$(B)/deb$(addprefix /,$(DEB_ARCH))' $(DEB_ARCH)

## make check-packages  Debian packages under unmodified programs, and back; lintian; cross builds; RPM spec and APKBUILD carried out
check-packages: deb
	$(Q)CARGO='$(CARGO)' build-aux/parts.sh "packaging/check-lintian.sh '$(B)/deb'" "packaging/check-deb.sh '$(B)/deb'" \
		"packaging/check-old-deb.sh '$(B)/deb'" "packaging/check-cross-deb.sh '$(B)/deb'" packaging/check-recipes.sh
