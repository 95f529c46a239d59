# The fallback: liburing's interface served from user space where the kernel refuses io_uring.
#
# One shared object serves both LD_PRELOAD and LD_LIBRARY_PATH: liburing's functions with their versions, and before
# libc's close, poll and the like functions without one. It stands in a folder of its own, since its soname is liburing's.

FALLBACK := flavours/fallback
FALLBACK_OUT := $(B)/fallback
FALLBACK_LIB := $(FALLBACK_OUT)/liburing.so.$(VERSION_MAJOR)
FALLBACK_LIB_FFI := $(FALLBACK_OUT)/liburing-ffi.so.$(VERSION_MAJOR)
FALLBACK_SOURCES := $(shell find $(FALLBACK)/src -name '*.rs') $(FALLBACK)/Cargo.toml $(FALLBACK)/Cargo.lock $(RUST_SOURCES)
FALLBACK_RUSTFLAGS := -Crelocation-model=pic -Cdebuginfo=$(RUST_DEBUGINFO) --remap-path-prefix=$(CURDIR)=liburing $(RUSTFLAGS)

.PHONY: fallback

## make fallback       liburing served from user space where io_uring is refused, in build/fallback
fallback: $(FALLBACK_LIB) $(FALLBACK_LIB_FFI) $(FALLBACK_OUT)/liburing-fallback.a

# variant, options
define fallback_archive
$(FALLBACK_OUT)/$(1).a: $(FALLBACK_SOURCES) $(FALLBACK)/fallback.mk
	$$(call say,CARGO,fallback/$(1))
	$$(Q)mkdir -p $$(@D)
	+$$(Q)RUSTFLAGS='$(FALLBACK_RUSTFLAGS)' $(CARGO) rustc --quiet --release --locked --manifest-path $(FALLBACK)/Cargo.toml \
		--crate-type staticlib --target $(RUST_TARGET) --target-dir $(FALLBACK_OUT)/cargo $(2)
	$$(Q)cp $(FALLBACK_OUT)/cargo/$(RUST_TARGET)/release/liburing_fallback.a $$@
endef
$(eval $(call fallback_archive,hooked,--features hooks))
$(eval $(call fallback_archive,hooked-ffi,--features hooks$(comma)ffi))
$(eval $(call fallback_archive,plain,))

# Rust's standard library comes along. What is neither liburing's nor a hook becomes local: a program may have its own.
FALLBACK_HOOKS := close close_range closefrom dup2 dup3 poll __poll_chk ppoll __ppoll_chk select pselect epoll_wait epoll_pwait \
	epoll_pwait2 mmap mmap64 syscall
$(FALLBACK_OUT)/%.o: $(FALLBACK_OUT)/%.a
	$(Q)$(CC) -r -nostdlib -fuse-ld=bfd -Wl,-u,io_uring_queue_init \
		-o $@ $<
	$(Q)$(OBJCOPY) $(if $(filter -g%,$(CFLAGS)),,--strip-debug) --wildcard --keep-global-symbol='io_uring_*' --keep-global-symbol='__io_uring_*' \
		--keep-global-symbol=liburing_fallback_active \
		$(if $(filter hooked%,$*),$(FALLBACK_HOOKS:%=--keep-global-symbol=%)) $@

# Without `local: *` the hooks stay visible, and have no version.
$(FALLBACK_OUT)/lib%.map: src/lib%.map
	$(Q)mkdir -p $(@D)
	$(Q)sed '/^ *local:$$/,/\*;/d' $< >$@

# library, its object
define fallback_shared
$(FALLBACK_OUT)/lib$(1).so.$(VERSION_MAJOR): $(FALLBACK_OUT)/$(2).o $(FALLBACK_OUT)/lib$(1).map
	$$(call say,LD,fallback/$$(@F))
	$$(Q)$(CC) -shared -static-libgcc $(LDFLAGS) -fuse-ld=bfd -Wl,-soname,$(SONAME_$(1)) \
		-Wl,--version-script=$(FALLBACK_OUT)/lib$(1).map -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodelete \
		-Wl,--gc-sections -Wl,--hash-style=gnu -o $$@ $$<
	$$(Q)ln -sf $$(@F) $(FALLBACK_OUT)/lib$(1).so
endef
$(eval $(call fallback_shared,uring,hooked))
$(eval $(call fallback_shared,uring-ffi,hooked-ffi))

$(FALLBACK_OUT)/liburing-fallback.a: $(FALLBACK_OUT)/plain.o
	$(call say,AR,fallback/$(@F))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $<

.SECONDARY: $(FALLBACK_OUT)/hooked.o $(FALLBACK_OUT)/hooked-ffi.o $(FALLBACK_OUT)/plain.o

.PHONY: install-fallback uninstall-fallback
FALLBACK_INSTALL = DESTDIR='$(DESTDIR)' prefix='$(prefix)' includedir='$(includedir)' libdir='$(libdir)' \
	libdevdir='$(libdevdir)' VERSION='$(VERSION)' BUILD='$(B)' INSTALL='$(INSTALL)' STRIP='$(STRIP)' $(FALLBACK)/install.sh

## make install-fallback  installs it, with the command liburing-fallback (part of install after configure --enable-fallback)
install-fallback: fallback
	$(Q)$(FALLBACK_INSTALL) install
uninstall-fallback:
	$(Q)$(FALLBACK_INSTALL) uninstall
ifeq ($(ENABLE_FALLBACK),1)
all: fallback
install: install-fallback
uninstall: uninstall-fallback
endif

# A command to which io_uring, or other system calls, are refused.
$(FALLBACK_OUT)/refuse: $(FALLBACK)/tests/refuse.c
	$(call say,CC,fallback/refuse)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror $< -o $@

CHECKS += check-fallback
.PHONY: check-fallback check-fallback-consumers
FALLBACK_TESTS := $(patsubst $(FALLBACK)/tests/%.c,$(FALLBACK_OUT)/tests/%,$(filter-out %/refuse.c,$(wildcard $(FALLBACK)/tests/*.c)))
$(FALLBACK_OUT)/tests/%: $(FALLBACK)/tests/%.c $(wildcard $(FALLBACK)/tests/*.h) $(C_TEST_HEADERS) $(C_TESTS_INSTALLED)
	$(call say,CC,fallback/tests/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(C_TEST_FLAGS) -Ic-tests $(c_test_cflags) $< -o $@ $(c_test_libs_so)

## make check-fallback  the C tests, tests of its own, qemu-img and a program on the io-uring crate, io_uring refused
check-fallback: $(FALLBACK_LIB) $(FALLBACK_LIB_FFI) $(FALLBACK_OUT)/liburing-fallback.a $(FALLBACK_OUT)/refuse $(FALLBACK_TESTS) \
		$(addprefix $(C_TESTS_OUT)/gcc-so/,$(call c_test_programs,so))
	$(Q)CC='$(CC)' CARGO='$(CARGO)' PYTHON='$(PYTHON)' FALLBACK_OUT='$(abspath $(FALLBACK_OUT))' C_TESTS='$(C_TESTS_OUT)/gcc-so' \
		C_TEST_PROGRAMS='$(call c_test_programs,so)' PREFIX='$(CHECK_PREFIX)' $(FALLBACK)/tests/check.sh

## make check-fallback-consumers  qemu, mariadbd, smbd and plocate with io_uring refused (CONSUMERS=qemu picks one)
check-fallback-consumers: $(FALLBACK_LIB) $(FALLBACK_OUT)/refuse
	$(Q)CONSUMERS_REFUSED=EPERM CONSUMERS_REFUSE='$(abspath $(FALLBACK_OUT))/refuse' LIBURING_LIBDIR='$(abspath $(FALLBACK_OUT))' \
		c-tests/consumers/run.sh $(CONSUMERS)

.PHONY: fallback-conformance
## make fallback-conformance  upstream's test suite on it, io_uring refused, against recorded outcomes (ARGS="--only nop")
fallback-conformance: $(FALLBACK_LIB) $(FALLBACK_OUT)/refuse $(C_TESTS_INSTALLED)
	$(Q)CC='$(CC)' $(PYTHON) -B $(FALLBACK)/tests/suite.py --prefix '$(CHECK_PREFIX)' --library '$(FALLBACK_LIB)' \
		--refuse '$(FALLBACK_OUT)/refuse' --output '$(FALLBACK_OUT)/suite' $(ARGS)

.PHONY: bench-fallback
## make bench-fallback  times beside the kernel's io_uring and a pool of threads; QUICK=1: half a minute, into no document
bench-fallback: stage $(FALLBACK_LIB)
	$(Q)CC='$(CC)' $(PYTHON) -B $(FALLBACK)/tests/bench.py --prefix '$(CHECK_PREFIX)' --library '$(FALLBACK_LIB)' \
		--output '$(FALLBACK_OUT)/bench' $(if $(QUICK),--seconds 0.3 --turns 5,--into docs/fallback.md)
