# Installing, for users and for packagers.

INSTALL_ENV = DESTDIR='$(DESTDIR)' prefix='$(prefix)' includedir='$(includedir)' libdir='$(libdir)' \
	libdevdir='$(libdevdir)' mandir='$(mandir)' datadir='$(datadir)' VERSION='$(VERSION)' \
	ENABLE_SHARED='$(ENABLE_SHARED)' ENABLE_2019='$(ENABLE_2019)' BUILD='$(B)' INSTALL='$(INSTALL)'

# Tests build against this installation. A recipe may hold a path with a space, the name of a target may not.
ABSOLUTE_B := $(if $(filter /%,$(B)),$(B),$(CURDIR)/$(B:./%=%))
STAGE := $(ABSOLUTE_B)/stage
CHECK_PREFIX ?= $(STAGE)/usr

.PHONY: install uninstall stage

## make install        installs below prefix (default /usr), honours DESTDIR
install: library
	$(Q)$(INSTALL_ENV) build-aux/install.sh install

## make uninstall      removes what install put there
uninstall:
	$(Q)$(INSTALL_ENV) build-aux/install.sh uninstall

## make stage          installs into build/stage, for the checks
stage: $(B)/stage.stamp

# LIBRARIES is defined in a file that make reads later.
.SECONDEXPANSION:
$(B)/stage.stamp: $$(LIBRARIES) $(shell find include io_uring-2019/include pkgconfig man -type f 2>/dev/null) build-aux/install.sh
	$(Q)rm -rf '$(STAGE)'
	$(Q)DESTDIR= prefix='$(CHECK_PREFIX)' includedir='$(CHECK_PREFIX)/include' libdir='$(CHECK_PREFIX)/lib' \
	libdevdir='$(CHECK_PREFIX)/lib' mandir='$(CHECK_PREFIX)/share/man' datadir='$(CHECK_PREFIX)/share' \
	VERSION='$(VERSION)' ENABLE_SHARED='$(ENABLE_SHARED)' ENABLE_2019='$(ENABLE_2019)' BUILD='$(B)' INSTALL='$(INSTALL)' \
	build-aux/install.sh install >$(B)/stage.log
	$(Q)touch $@

CHECKS += check-install
.PHONY: check-install
CHECK_INSTALL = MAKE='$(MAKE)' CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' VERSION='$(VERSION)'

## make check-install  places of installed files, programs built against them, distributors' calls of configure and make
check-install: $(STATIC_LIBRARIES) $(SHARED_LIBRARIES)
	+$(Q)$(CHECK_INSTALL) build-aux/parts.sh build-aux/check-install.sh 'build-aux/check-install.sh packaging'

CHECKS += check-options
.PHONY: check-options

## make check-options  configure's options that change the code: notes and landing pads, libc's calls, canaries
check-options:
	+$(Q)MAKE='$(MAKE)' CC='$(CC)' build-aux/check-options.sh
