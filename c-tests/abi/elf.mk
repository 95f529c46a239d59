# The libraries as the dynamic linker sees them.

CHECKS += check-elf
.PHONY: check-elf

# What upstream 2.15 takes on x86-64 with its own flags.
ifeq ($(RUST_ARCH),x86_64)
MAX_STRIPPED_uring := 30112
MAX_STRIPPED_uring-ffi := 50928
endif

ELF_TOOLS = READELF='$(READELF)' NM='$(NM)' STRIP='$(STRIP)' ALLOWED_UNDEFINED='$(ALLOWED_UNDEFINED)'

## make check-elf      soname, dependencies, hardening, symbols and size of the libraries, also of Cargo's
check-elf: $(STATIC_LIBRARIES) $(SHARED_LIBRARIES)
	@status=0; \
	$(ELF_TOOLS) c-tests/abi/elf.sh static $(B)/liburing.a $(SHARED_uring) || status=1; \
	$(ELF_TOOLS) c-tests/abi/elf.sh static $(B)/liburing-ffi.a $(SHARED_uring-ffi) $(SHARED_uring) || status=1; \
	$(ELF_TOOLS) c-tests/abi/elf.sh shared $(SHARED_uring-ffi) $(SONAME_uring-ffi) $(MAX_STRIPPED_uring-ffi) || status=1; \
	$(ELF_TOOLS) c-tests/abi/elf.sh shared $(SHARED_uring) $(SONAME_uring) $(MAX_STRIPPED_uring) || status=1; \
	CARGO='$(CARGO)' CC='$(CC)' c-tests/abi/cargo-library.sh '$(ABSOLUTE_B)/cargo-build' $(SHARED_uring) || status=1; \
	exit $$status

CHECKS += check-abidiff
.PHONY: check-abidiff

## make check-abidiff  no incompatible change against Debian's and upstream's libraries
check-abidiff: stage $(SHARED_LIBRARIES)
	+$(Q)$(MAKE) -s --no-print-directory B='$(B)/debug' RUST_DEBUGINFO=2 library
	$(Q)c-tests/abi/abidiff.sh $(B) $(B)/debug '$(CHECK_PREFIX)/include'
