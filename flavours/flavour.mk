# How a flavour of the library is built and installed. Its crate compiles src/ with something else under it. The result is
# liburing-NAME.a, and shared libraries with liburing's sonames in a folder of their own. One shared object serves both
# LD_PRELOAD and LD_LIBRARY_PATH: liburing's functions with their versions, and before libc's functions hooks without one.
#
# $(call flavour,PREFIX,NAME,TARGET): flavours/NAME, built by `make TARGET` in build/TARGET. Of the flavour's own:
#   PREFIX_FIRST      a function that the object is linked from
#   PREFIX_HOOKS      libc's functions before which it has its own, in the shared libraries alone
#   PREFIX_ALSO       functions beside liburing's that programs may call
#   PREFIX_FLAGS      options for rustc
define flavour
$(1) := flavours/$(2)
$(1)_OUT := $(B)/$(3)
$(1)_LIB := $(B)/$(3)/liburing.so.$(VERSION_MAJOR)
$(1)_LIB_FFI := $(B)/$(3)/liburing-ffi.so.$(VERSION_MAJOR)
$(1)_BUILT := $(B)/$(3)/liburing.so.$(VERSION_MAJOR) $(B)/$(3)/liburing-ffi.so.$(VERSION_MAJOR) $(B)/$(3)/liburing-$(2).a

$(3): $(B)/$(3)/liburing.so.$(VERSION_MAJOR) $(B)/$(3)/liburing-ffi.so.$(VERSION_MAJOR) $(B)/$(3)/liburing-$(2).a

$(call flavour_archive,$(1),$(2),$(3),hooked,--features hooks)
$(call flavour_archive,$(1),$(2),$(3),hooked-ffi,--features hooks$(comma)ffi)
$(call flavour_archive,$(1),$(2),$(3),plain,)
$(call flavour_shared,$(3),uring,hooked)
$(call flavour_shared,$(3),uring-ffi,hooked-ffi)

# Rust's standard library comes along. What is neither liburing's nor a hook becomes local: a program may have its own.
# Wrappers (checked_NAME) and hooks (hook_NAME) get the names of what they stand for.
$(B)/$(3)/%.o: $(B)/$(3)/%.a
	$$(Q)$$(CC) -r -nostdlib -fuse-ld=bfd -Wl,-u,$$($(1)_FIRST) -o $$@.all $$<
	$$(Q)$$(NM) $$@.all | sed -nE 's/.* T checked_(.*)$$$$/\1 plain_\1\nchecked_\1 \1/p; s/.* T hook_(.*)$$$$/hook_\1 \1/p' >$$@.names
	$$(Q)$$(OBJCOPY) --redefine-syms=$$@.names $$@.all
	$$(Q)$$(OBJCOPY) $$(if $$(filter -g%,$$(CFLAGS)),,--strip-debug) --wildcard --keep-global-symbol='io_uring_*' \
		--keep-global-symbol='__io_uring_*' $$($(1)_ALSO:%=--keep-global-symbol=%) \
		$$(if $$(filter hooked%,$$*),$$($(1)_HOOKS:%=--keep-global-symbol=%)) $$@.all $$@
	$$(Q)rm -f $$@.all
.SECONDARY: $(addprefix $(B)/$(3)/,hooked.o hooked-ffi.o plain.o)

# Without `local: *` the hooks stay visible, and have no version.
$(B)/$(3)/lib%.map: src/lib%.map
	$$(Q)mkdir -p $$(@D)
	$$(Q)sed '/^ *local:$$$$/,/\*;/d' $$< >$$@

$(B)/$(3)/liburing-$(2).a: $(B)/$(3)/plain.o
	$$(call say,AR,$(3)/$$(@F))
	$$(Q)rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$<

$(1)_INSTALL = DESTDIR='$$(DESTDIR)' prefix='$$(prefix)' includedir='$$(includedir)' libdir='$$(libdir)' \
	libdevdir='$$(libdevdir)' mandir='$$(mandir)' VERSION='$$(VERSION)' BUILT='$$(B)/$(3)' INSTALL='$$(INSTALL)' \
	STRIP='$$(if $$(filter -g%,$$(CFLAGS)),,$$(STRIP))' flavours/install.sh
install-$(3): $(3)
	$$(Q)$$($(1)_INSTALL) install $(2)
uninstall-$(3):
	$$(Q)$$($(1)_INSTALL) uninstall $(2)
ifeq ($$(ENABLE_$(1)),1)
all: $(3)
install: install-$(3)
uninstall: uninstall-$(3)
endif
endef

# A source archive holds the crates.
FLAVOUR_OFFLINE := $(if $(wildcard vendor/config.toml),--offline --config vendor/config.toml)

# prefix, name, target, variant, options. Flags reach rustc unsplit, so a path with a space can be mapped.
define flavour_archive
$(B)/$(3)/$(4).a: $(shell find flavours/$(2)/src -name '*.rs') flavours/$(2)/Cargo.toml flavours/$(2)/Cargo.lock \
		flavours/flavour.mk flavours/$(2)/$(3).mk $(RUST_SOURCES)
	$$(call say,CARGO,$(3)/$(4))
	$$(Q)mkdir -p $$(@D)
	+$$(Q)flags='-Crelocation-model=pic $$($(1)_FLAGS) -Cdebuginfo=$$(RUST_DEBUGINFO) $$(RUSTFLAGS)'; \
		CARGO_ENCODED_RUSTFLAGS=$$$$(printf '%s\037' $$$$flags)--remap-path-prefix=$$$$PWD=liburing \
		RUSTC_WRAPPER=$$$$PWD/build-aux/rustc-flavour.sh \
		$$(CARGO) rustc --quiet --release --locked --manifest-path flavours/$(2)/Cargo.toml $$(FLAVOUR_OFFLINE) \
		--crate-type staticlib --target $$(RUST_TARGET) --target-dir $(B)/$(3)/cargo $(5)
	$$(Q)cp $(B)/$(3)/cargo/$$(RUST_TARGET)/release/liburing_$(2).a $$@
endef

# target, library, its object
define flavour_shared
$(B)/$(1)/lib$(2).so.$(VERSION_MAJOR): $(B)/$(1)/$(3).o $(B)/$(1)/lib$(2).map
	$$(call say,LD,$(1)/$$(@F))
	$$(Q)$$(CC) -shared -static-libgcc $$(LDFLAGS) -fuse-ld=bfd -Wl,-soname,$(SONAME_$(2)) \
		-Wl,--version-script=$(B)/$(1)/lib$(2).map -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodelete \
		-Wl,--gc-sections -Wl,--hash-style=gnu -o $$@ $$<
	$$(Q)ln -sf $$(@F) $(B)/$(1)/lib$(2).so
endef
