# The libraries as the dynamic linker sees them.

CHECKS += check-elf
.PHONY: check-elf check-elf-installed

ELF_TOOLS = READELF='$(READELF)' NM='$(NM)' STRIP='$(STRIP)' ALLOWED_UNDEFINED='$(ALLOWED_UNDEFINED)'

# Functions that only the archives have, as in upstream's (check-abi): those that build a ring step by step, and inline
# functions that upstream's version map does not name.
ARCHIVE_ONLY := __io_uring_queue_init_params io_uring_mmap io_uring_setup_ring_pointers io_uring_unmap_rings
ARCHIVE_ONLY_ffi := __io_uring_prep_uring_cmd _io_uring_get_sqe io_uring_cqe_shift io_uring_cqe_shift_from_flags \
	io_uring_initialize_sqe io_uring_load_sq_head io_uring_sqe_shift io_uring_sqe_shift_from_flags

## make check-elf      soname, dependencies, hardening and symbols of the libraries, also of Cargo's
check-elf: check-elf-installed
	$(Q)CARGO='$(CARGO)' CC='$(CC)' c-tests/abi/cargo-library.sh '$(ABSOLUTE_B)/cargo-build' $(SHARED_uring)

# Only the libraries of make, for any architecture.
check-elf-installed: $(STATIC_LIBRARIES) $(SHARED_LIBRARIES)
	@status=0; \
	$(ELF_TOOLS) ARCHIVE_ONLY='$(ARCHIVE_ONLY)' c-tests/abi/elf.sh static $(B)/liburing.a $(SHARED_uring) || status=1; \
	$(ELF_TOOLS) ARCHIVE_ONLY='$(ARCHIVE_ONLY) $(ARCHIVE_ONLY_ffi)' c-tests/abi/elf.sh static $(B)/liburing-ffi.a $(SHARED_uring-ffi) $(SHARED_uring) || status=1; \
	$(ELF_TOOLS) c-tests/abi/elf.sh shared $(SHARED_uring-ffi) $(SONAME_uring-ffi) || status=1; \
	$(ELF_TOOLS) c-tests/abi/elf.sh shared $(SHARED_uring) $(SONAME_uring) || status=1; \
	exit $$status

CHECKS += check-abidiff
.PHONY: check-abidiff

## make check-abidiff  no incompatible change against Debian's and upstream's libraries
check-abidiff: stage $(SHARED_LIBRARIES)
	+$(Q)$(MAKE) -s --no-print-directory B='$(B)/debug' RUST_DEBUGINFO=2 library
	$(Q)c-tests/abi/abidiff.sh $(B) $(B)/debug '$(CHECK_PREFIX)/include'
