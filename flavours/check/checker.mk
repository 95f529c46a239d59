# The check library: liburing's interface, which says where a program misuses it.
#
# One shared object serves both LD_PRELOAD and LD_LIBRARY_PATH: liburing's functions with their versions, and before
# libc's free, close and the like functions without one. It stands in a folder of its own, since its soname is liburing's.

CHECKER := flavours/check
CHECKER_OUT := $(B)/checker
CHECKER_LIB := $(CHECKER_OUT)/liburing.so.$(VERSION_MAJOR)
CHECKER_LIB_FFI := $(CHECKER_OUT)/liburing-ffi.so.$(VERSION_MAJOR)
CHECKER_SOURCES := $(shell find $(CHECKER)/src -name '*.rs') $(CHECKER)/Cargo.toml $(CHECKER)/Cargo.lock $(RUST_SOURCES)
# Frame pointers: src/place.rs reads the caller's place by them.
CHECKER_RUSTFLAGS := -Crelocation-model=pic -Cforce-frame-pointers=yes -Cdebuginfo=$(RUST_DEBUGINFO) \
	--remap-path-prefix=$(CURDIR)=liburing $(RUSTFLAGS)

.PHONY: checker

## make checker        liburing that says where a program misuses it, in build/checker
checker: $(CHECKER_LIB) $(CHECKER_LIB_FFI) $(CHECKER_OUT)/liburing-check.a

# variant, options
define checker_archive
$(CHECKER_OUT)/$(1).a: $(CHECKER_SOURCES) $(CHECKER)/checker.mk
	$$(call say,CARGO,checker/$(1))
	$$(Q)mkdir -p $$(@D)
	+$$(Q)RUSTFLAGS='$(CHECKER_RUSTFLAGS)' $(CARGO) rustc --quiet --release --locked --manifest-path $(CHECKER)/Cargo.toml \
		--crate-type staticlib --target $(RUST_TARGET) --target-dir $(CHECKER_OUT)/cargo $(2)
	$$(Q)cp $(CHECKER_OUT)/cargo/$(RUST_TARGET)/release/liburing_check.a $$@
endef
$(eval $(call checker_archive,hooked,--features hooks))
$(eval $(call checker_archive,hooked-ffi,--features hooks$(comma)ffi))
$(eval $(call checker_archive,plain,))

# Rust's standard library comes along. What is neither liburing's nor a hook becomes local: a program may have its own.
# The wrappers (checked_NAME) and the hooks (hook_NAME) get the names of what they stand for.
CHECKER_HOOKS := free realloc munmap close close_range dup2 dup3 exit \
	setuid setgid seteuid setegid setreuid setregid setresuid setresgid
$(CHECKER_OUT)/%.o: $(CHECKER_OUT)/%.a
	$(Q)$(CC) -r -nostdlib -fuse-ld=bfd -Wl,-u,checked_io_uring_submit -o $@.all $<
	$(Q)$(NM) $@.all | sed -nE 's/.* T checked_(.*)$$/\1 plain_\1\nchecked_\1 \1/p; s/.* T hook_(.*)$$/hook_\1 \1/p' >$@.names
	$(Q)$(OBJCOPY) --redefine-syms=$@.names $@.all
	$(Q)$(OBJCOPY) $(if $(filter -g%,$(CFLAGS)),,--strip-debug) --wildcard --keep-global-symbol='io_uring_*' \
		--keep-global-symbol='__io_uring_*' $(if $(filter hooked%,$*),$(CHECKER_HOOKS:%=--keep-global-symbol=%)) $@.all $@
	$(Q)rm -f $@.all

# Without `local: *` the hooks stay visible, and have no version.
$(CHECKER_OUT)/lib%.map: src/lib%.map
	$(Q)mkdir -p $(@D)
	$(Q)sed '/^ *local:$$/,/\*;/d' $< >$@

# library, its object
define checker_shared
$(CHECKER_OUT)/lib$(1).so.$(VERSION_MAJOR): $(CHECKER_OUT)/$(2).o $(CHECKER_OUT)/lib$(1).map
	$$(call say,LD,checker/$$(@F))
	$$(Q)$(CC) -shared -static-libgcc $(LDFLAGS) -fuse-ld=bfd -Wl,-soname,$(SONAME_$(1)) \
		-Wl,--version-script=$(CHECKER_OUT)/lib$(1).map -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodelete \
		-Wl,--gc-sections -Wl,--hash-style=gnu -o $$@ $$<
	$$(Q)ln -sf $$(@F) $(CHECKER_OUT)/lib$(1).so
endef
$(eval $(call checker_shared,uring,hooked))
$(eval $(call checker_shared,uring-ffi,hooked-ffi))

$(CHECKER_OUT)/liburing-check.a: $(CHECKER_OUT)/plain.o
	$(call say,AR,checker/$(@F))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $<

.SECONDARY: $(CHECKER_OUT)/hooked.o $(CHECKER_OUT)/hooked-ffi.o $(CHECKER_OUT)/plain.o

.PHONY: install-checker uninstall-checker
CHECKER_INSTALL = DESTDIR='$(DESTDIR)' prefix='$(prefix)' includedir='$(includedir)' libdir='$(libdir)' \
	libdevdir='$(libdevdir)' VERSION='$(VERSION)' BUILD='$(B)' INSTALL='$(INSTALL)' STRIP='$(STRIP)' $(CHECKER)/install.sh

## make install-checker  installs it (part of install after configure --enable-checker)
install-checker: checker
	$(Q)$(CHECKER_INSTALL) install
uninstall-checker:
	$(Q)$(CHECKER_INSTALL) uninstall
ifeq ($(ENABLE_CHECKER),1)
all: checker
install: install-checker
uninstall: uninstall-checker
endif

CHECKS += check-check
.PHONY: check-check check-check-consumers
CHECKER_TESTS := $(patsubst $(CHECKER)/tests/%.c,$(CHECKER_OUT)/tests/%,$(wildcard $(CHECKER)/tests/*.c))
$(CHECKER_OUT)/tests/%: $(CHECKER)/tests/%.c $(CHECKER)/tests/misuse.h $(C_TESTS_INSTALLED)
	$(call say,CC,checker/tests/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(C_TEST_FLAGS) $(c_test_cflags) $< -o $@ $(c_test_libs_so)

## make check-check    the check library: programs that misuse io_uring are reported, like ones that do not and the C tests are not
check-check: $(CHECKER_LIB) $(CHECKER_LIB_FFI) $(CHECKER_OUT)/liburing-check.a $(CHECKER_TESTS) \
		$(addprefix $(C_TESTS_OUT)/gcc-so/,$(call c_test_programs,so))
	$(Q)CC='$(CC)' PYTHON='$(PYTHON)' CHECKER_OUT='$(abspath $(CHECKER_OUT))' C_TESTS='$(C_TESTS_OUT)/gcc-so' \
		C_TEST_PROGRAMS='$(call c_test_programs,so)' SEEDS='$(SEEDS)' MISUSES='$(abspath $(CHECKER_TESTS))' PREFIX='$(CHECK_PREFIX)' \
		$(CHECKER)/tests/check.sh

## make check-check-consumers  qemu, mariadbd, smbd and plocate on the check library: no report (CONSUMERS=qemu picks one)
check-check-consumers: $(CHECKER_LIB)
	$(Q)LIBURING_LIBDIR='$(abspath $(CHECKER_OUT))' $(CHECKER)/tests/consumers.sh $(CONSUMERS)
