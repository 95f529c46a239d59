# The fallback: liburing's interface served from user space where the kernel refuses io_uring.
#
# One shared object serves both LD_PRELOAD and LD_LIBRARY_PATH: liburing's functions with their versions, and before
# libc's close, poll and the like functions without one. It stands in a folder of its own, since its soname is liburing's.

FALLBACK := flavours/fallback
FALLBACK_OUT := $(B)/fallback
FALLBACK_LIB := $(FALLBACK_OUT)/liburing.so.$(VERSION_MAJOR)
FALLBACK_SOURCES := $(shell find $(FALLBACK) -name '*.rs' -o -name Cargo.toml -o -name Cargo.lock) $(RUST_SOURCES)
FALLBACK_RUSTFLAGS := -Crelocation-model=pic -Cdebuginfo=$(RUST_DEBUGINFO) --remap-path-prefix=$(CURDIR)=liburing $(RUSTFLAGS)

.PHONY: fallback

## make fallback       liburing served from user space where io_uring is refused, in build/fallback
fallback: $(FALLBACK_LIB) $(FALLBACK_OUT)/liburing-fallback.a

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
$(eval $(call fallback_archive,plain,))

# Without `local: *` the hooks stay visible, and have no version.
$(FALLBACK_OUT)/liburing.map: src/liburing.map
	$(Q)mkdir -p $(@D)
	$(Q)sed '/local: *\*;/d; /^ *local:$$/,/\*;/d' $< >$@

# The code is one object of the archive; whatever names one of its functions brings it in.
$(FALLBACK_LIB): $(FALLBACK_OUT)/hooked.a $(FALLBACK_OUT)/liburing.map
	$(call say,LD,fallback/$(@F))
	$(Q)$(CC) -shared -static-libgcc $(LDFLAGS) -fuse-ld=bfd -Wl,-u,io_uring_queue_init -Wl,-soname,$(SONAME_uring) \
		-Wl,--version-script=$(FALLBACK_OUT)/liburing.map -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodelete \
		-Wl,--gc-sections -Wl,--hash-style=gnu -o $@ $<
	$(Q)ln -sf $(@F) $(FALLBACK_OUT)/liburing.so

# Rust's standard library comes along: what is not liburing's is hidden.
$(FALLBACK_OUT)/liburing-fallback.a: $(FALLBACK_OUT)/plain.a
	$(call say,AR,fallback/$(@F))
	$(Q)$(CC) -r -nostdlib -fuse-ld=bfd -Wl,--gc-sections -Wl,-u,io_uring_queue_init -o $(FALLBACK_OUT)/whole.o $<
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='io_uring_*' --keep-global-symbol='__io_uring_*' \
		--keep-global-symbol=liburing_fallback_active $(FALLBACK_OUT)/whole.o
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $(FALLBACK_OUT)/whole.o
