# The command `uring`. It needs crates, which the libraries do not, so that plain `make` leaves it alone: `make uring`
# builds it, and `./configure --enable-uring` (or ENABLE_URING=1) makes it a part of `make` and `make install`. What is
# installed depends on that choice alone, not on what an earlier build left behind.

URING_DIR := tools/uring
URING := $(B)/uring
ENABLE_URING ?= 0

# glibc links statically with this flag on its own targets; the program then runs in a container that has nothing.
URING_STATIC := $(if $(findstring -gnu,$(RUST_TARGET)),-Ctarget-feature=+crt-static)
URING_CARGO = $(CARGO) $(1) --quiet --locked --manifest-path $(URING_DIR)/Cargo.toml --target-dir $(B)/cargo-uring
URING_SOURCES := $(shell find $(URING_DIR)/src core/src/abi core/src/inline src -name '*.rs') \
	$(URING_DIR)/Cargo.toml $(URING_DIR)/Cargo.lock $(URING_DIR)/build.rs
URING_SHELLS := uring.bash:share/bash-completion/completions/uring _uring:share/zsh/site-functions/_uring \
	uring.fish:share/fish/vendor_completions.d/uring.fish

CHECKS += check-uring check-uring-vm
.PHONY: uring uring-pages install-uring uninstall-uring check-uring check-uring-vm

## make uring          the command uring, in build/; a part of make and make install with configure --enable-uring
uring: $(URING)

$(URING): $(URING_SOURCES) $(URING_DIR)/uring.mk
	$(call say,CARGO,uring)
	+$(Q)RUSTFLAGS='$(URING_STATIC) $(RUSTFLAGS)' $(call URING_CARGO,build) --release --target $(RUST_TARGET)
	$(Q)cp $(B)/cargo-uring/$(RUST_TARGET)/release/uring $@

## make uring-pages    writes its manual pages and completions anew, from the definitions of its command line
uring-pages:
	$(Q)$(call URING_CARGO,run) --example pages -- man/man1 $(URING_DIR)/completions

ifeq ($(ENABLE_URING),1)
all: uring
install: install-uring
uninstall: uninstall-uring
endif

install-uring: $(URING)
	$(Q)$(INSTALL) -D -m 755 $(URING) '$(DESTDIR)$(prefix)/bin/uring'
	$(Q)for page in man/man1/uring*.1; do \
		$(INSTALL) -D -m 644 "$$page" '$(DESTDIR)$(mandir)'/man1/"$${page##*/}" || exit 1; done
	$(Q)for pair in $(URING_SHELLS); do \
		$(INSTALL) -D -m 644 $(URING_DIR)/completions/"$${pair%%:*}" '$(DESTDIR)$(prefix)'/"$${pair#*:}" || exit 1; done

uninstall-uring:
	$(Q)rm -f '$(DESTDIR)$(prefix)/bin/uring'
	$(Q)for page in man/man1/uring*.1; do rm -f '$(DESTDIR)$(mandir)'/man1/"$${page##*/}"; done
	$(Q)for pair in $(URING_SHELLS); do rm -f '$(DESTDIR)$(prefix)'/"$${pair#*:}"; done

## make check-uring    the command in made-up refusals, on real rings, and against the counts of traced programs
check-uring: stage
	@if ! $(CARGO) fetch --quiet --locked --manifest-path $(URING_DIR)/Cargo.toml; then echo 'SKIP: the crates of uring can not be had'; exit 77; fi
	$(Q)$(CARGO) fmt --check --manifest-path $(URING_DIR)/Cargo.toml
	$(Q)$(call URING_CARGO,clippy) --all-targets -- -D warnings
	$(Q)$(call URING_CARGO,test)
	+$(Q)$(MAKE) --no-print-directory uring
	$(Q)$(call URING_CARGO,build) --examples
	$(Q)URING=$(URING) EXAMPLES=$(B)/cargo-uring/debug/examples CC='$(CC)' PYTHON='$(PYTHON)' MAKE='$(MAKE)' \
		CHECK_PREFIX='$(CHECK_PREFIX)' $(URING_DIR)/check.sh

URING_VM := $(abspath $(B))/uring-vm
# Not 5.10: Debian's has parts of later versions, and lacks what the traced program asks for.
URING_VM_SUITES ?= bookworm bookworm-backports sid

## make check-uring-vm  the command on other kernels, emulated: the sysctl and its group, probe, trace, and a kernel
##                     without io_uring (URING_VM_SUITES=sid picks one)
check-uring-vm: stage $$(VM_OUT)/init
	@if ! $(CARGO) fetch --quiet --locked --manifest-path $(URING_DIR)/Cargo.toml; then echo 'SKIP: the crates of uring can not be had'; exit 77; fi
	+$(Q)$(MAKE) --no-print-directory uring
	$(Q)mkdir -p $(URING_VM)/programs
	$(Q)RUSTFLAGS='$(URING_STATIC) $(RUSTFLAGS)' $(call URING_CARGO,build) --target $(RUST_TARGET) --example refuse
	$(Q)cp $(URING) $(B)/cargo-uring/$(RUST_TARGET)/debug/examples/refuse $(URING_VM)/programs
	$(Q)$(CC) $(VM_FLAGS) -I$(CHECK_PREFIX)/include $(URING_DIR)/tests/programs/requests.c -o $(URING_VM)/programs/requests \
		$(CHECK_PREFIX)/lib/liburing.a
	$(Q)$(PYTHON) -B $(URING_DIR)/vm.py --init $(VM_OUT)/init --programs $(URING_VM)/programs --output $(URING_VM) \
		--suites '$(URING_VM_SUITES)'
