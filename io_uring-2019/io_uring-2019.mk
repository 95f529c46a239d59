# The interface of January 2019: liburing.so.1 with its archive, and the preload library. The posting had system
# call numbers for x86-64, so that is where this is built. ENABLE_SEED=0 leaves it out.

ENABLE_SEED ?= $(if $(filter x86_64,$(RUST_ARCH)),1,0)

SEED_SOURCES := $(CORE_SOURCES) $(shell find io_uring-2019/src -name '*.rs') io_uring-2019/Cargo.toml
SEED_LIBRARY := $(B)/seed/liburing.so.1
SEED_ARCHIVE := $(B)/seed/liburing.a
SEED_PRELOAD := $(B)/seed/liburing-0.1-preload.so
SEED_POLLING := $(B)/seed/polling.so

ifeq ($(ENABLE_SEED),1)
LIBRARIES += $(SEED_ARCHIVE) $(if $(filter 1,$(ENABLE_SHARED)),$(SEED_LIBRARY) $(SEED_PRELOAD))
endif

SEED_FEATURES_library :=
SEED_FEATURES_preload := --features preload
# For a check.
SEED_FEATURES_polling := --features preload,assume-polling

define seed_object_rule
$(B)/seed/$(1).o: $(SEED_SOURCES) build-aux/lto-object.sh $(wildcard $(O)/config.mk)
	$$(call say,CARGO,seed/$(1))
	$$(Q)mkdir -p $(B)/seed
	+$$(Q)CARGO='$(CARGO)' AR='$(AR)' NM='$(NM)' OBJCOPY='$(OBJCOPY)' LIB_RUSTFLAGS='$(LIB_RUSTFLAGS)' \
		CRATE=liburing-2019 LIBRARY=uring_2019 ALLOWED_WEAK='__errno_location dlsym __libc_dlopen_mode __libc_dlsym' \
		build-aux/lto-object.sh $$@ $(B)/cargo-seed-$(1) $(RUST_TARGET) $(SEED_FEATURES_$(1))
endef
$(foreach part,library preload polling,$(eval $(call seed_object_rule,$(part))))

$(SEED_ARCHIVE): $(B)/seed/library.o
	$(call say,AR,seed/$(@F))
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $<

# The library has threads, which dlclose() must not leave without code.
$(SEED_LIBRARY): $(B)/seed/library.o io_uring-2019/liburing-0.1.map
	$(call say,LD,seed/$(@F))
	$(Q)$(CC) $(SO_LDFLAGS) -Wl,-z,nodelete -Wl,-soname,$(@F) -Wl,--version-script=io_uring-2019/liburing-0.1.map -o $@ $<
	$(Q)ln -sf $(@F) $(B)/seed/liburing.so

$(SEED_PRELOAD): $(B)/seed/preload.o
$(SEED_POLLING): $(B)/seed/polling.o
$(SEED_PRELOAD) $(SEED_POLLING): io_uring-2019/preload.map
	$(call say,LD,seed/$(@F))
	$(Q)$(CC) $(SO_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script=io_uring-2019/preload.map -o $@ $(filter %.o,$^)

.PHONY: headers-seed check-headers-seed

headers: headers-seed
headers-seed:
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools -- --seed . .

# Part of check-headers.
check-headers-seed:
	$(Q)rm -rf $(B)/seed/headers
	$(Q)$(CARGO) run --quiet --locked --manifest-path $(HEADERS_TOOL) --target-dir $(B)/tools -- --seed . $(B)/seed/headers
	$(Q)diff -ru io_uring-2019/include $(B)/seed/headers/io_uring-2019/include
	@echo '$(words $(wildcard io_uring-2019/include/*.h io_uring-2019/include/*/*.h)) headers of 2019 are up to date'

CHECKS += check-seed
.PHONY: check-seed

## make check-seed     the interface of 2019: its libraries, and programs of that week in every mode (SEED_DIR)
check-seed: stage $(if $(filter 1,$(ENABLE_SEED)),$(SEED_POLLING))
	@if [ '$(ENABLE_SEED)' != 1 ]; then echo 'SKIP: the interface of 2019 is built on x86-64 only'; exit 77; fi
	@CC='$(CC)' SEED_DIR='$(SEED_DIR)' SEED_POLLING='$(SEED_POLLING)' io_uring-2019/check.sh '$(CHECK_PREFIX)' '$(B)/seed/check'

.PHONY: bench-seed

## make bench-seed     random reads through the interface of 2019 beside the same loop through today's
bench-seed: stage
	$(Q)if [ '$(ENABLE_SEED)' = 1 ]; then CC='$(CC)' $(PYTHON) c-tests/bench/report/seed.py '$(CHECK_PREFIX)' '$(B)/bench' \
		$(if $(QUICK),--quick,--into docs/io_uring-2019.md); fi

# Part of the whole.
bench: bench-seed
