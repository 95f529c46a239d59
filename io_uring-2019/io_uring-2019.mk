# The interface of January 2019: liburing.so.1 with its archive, and the preload library. The posting had system
# call numbers for x86-64, so that is where this is built. ENABLE_2019=0 leaves it out; ENABLE_SEED is its
# former name.

ENABLE_2019 ?= $(or $(ENABLE_SEED),$(if $(filter x86_64,$(RUST_ARCH)),1,0))

SOURCES_2019 := $(CORE_SOURCES) $(shell find io_uring-2019/src -name '*.rs') io_uring-2019/Cargo.toml
LIBRARY_2019 := $(B)/2019/liburing.so.1
ARCHIVE_2019 := $(B)/2019/liburing.a
PRELOAD_2019 := $(B)/2019/liburing-0.1-preload.so
POLLING_2019 := $(B)/2019/polling.so

ifeq ($(ENABLE_2019),1)
LIBRARIES += $(ARCHIVE_2019) $(if $(filter 1,$(ENABLE_SHARED)),$(LIBRARY_2019) $(PRELOAD_2019))
endif

FEATURES_2019_library :=
FEATURES_2019_preload := --features preload
# For a check.
FEATURES_2019_polling := --features preload,assume-polling

define object_rule_2019
$(B)/2019/$(1).o: $(SOURCES_2019) build-aux/lto-object.sh $(wildcard $(O)/config.mk)
	$$(call say,CARGO,2019/$(1))
	$$(Q)mkdir -p $(B)/2019
	+$$(Q)CARGO='$(CARGO)' AR='$(AR)' NM='$(NM)' OBJCOPY='$(OBJCOPY)' LIB_RUSTFLAGS='$(LIB_RUSTFLAGS)' \
		CRATE=liburing-2019 LIBRARY=uring_2019 ALLOWED_WEAK='__errno_location dlsym __libc_dlopen_mode __libc_dlsym' \
		build-aux/lto-object.sh $$@ $(B)/cargo-2019-$(1) $(RUST_TARGET) $(FEATURES_2019_$(1))
endef
$(foreach part,library preload polling,$(eval $(call object_rule_2019,$(part))))

$(ARCHIVE_2019): $(B)/2019/library.o
	$(call say,AR,2019/$(@F))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $<

# The library has threads, which dlclose() must not leave without code.
$(LIBRARY_2019): $(B)/2019/library.o io_uring-2019/liburing-0.1.map
	$(call say,LD,2019/$(@F))
	$(Q)$(CC) $(SO_LDFLAGS) -Wl,-z,nodelete -Wl,-soname,$(@F) -Wl,--version-script=io_uring-2019/liburing-0.1.map -o $@ $<
	$(Q)ln -sf $(@F) $(B)/2019/liburing.so

$(PRELOAD_2019): $(B)/2019/preload.o
$(POLLING_2019): $(B)/2019/polling.o
$(PRELOAD_2019) $(POLLING_2019): io_uring-2019/preload.map
	$(call say,LD,2019/$(@F))
	$(Q)$(CC) $(SO_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=io_uring-2019/preload.map -o $@ $(filter %.o,$^)

.PHONY: headers-2019 check-headers-2019

headers: headers-2019
headers-2019:
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools -- --2019 . .

# Part of check-headers.
check-headers-2019:
	$(Q)rm -rf $(B)/2019/headers
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools -- --2019 . $(B)/2019/headers
	$(Q)diff -ru io_uring-2019/include $(B)/2019/headers/io_uring-2019/include
	@echo '$(words $(wildcard io_uring-2019/include/*.h io_uring-2019/include/*/*.h)) headers of 2019 are up to date'

CHECKS += check-2019
.PHONY: check-2019

## make check-2019     the interface of 2019: its libraries, and programs of that week in every mode (DIR_2019)
check-2019: stage $(if $(filter 1,$(ENABLE_2019)),$(POLLING_2019))
	@if [ '$(ENABLE_2019)' != 1 ]; then echo 'SKIP: the interface of 2019 is built on x86-64 only'; exit 77; fi
	@CC='$(CC)' DIR_2019='$(DIR_2019)' POLLING_2019='$(POLLING_2019)' io_uring-2019/check.sh '$(CHECK_PREFIX)' '$(B)/2019/check'

.PHONY: bench-2019

## make bench-2019     random reads through the interface of 2019 beside the same loop through today's
bench-2019: stage
	$(Q)if [ '$(ENABLE_2019)' = 1 ]; then CC='$(CC)' $(PYTHON) c-tests/bench/report/interface_2019.py '$(CHECK_PREFIX)' '$(B)/bench' \
		$(if $(QUICK),--quick,--into docs/io_uring-2019.md); fi

# Part of the whole.
bench: bench-2019
