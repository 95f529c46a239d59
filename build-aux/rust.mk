# Checks by Cargo.

CHECKS += check-rust check-cargo-test check-oldest-rust check-miri
.PHONY: check-rust check-cargo-test check-oldest-rust check-miri

# The other crates belong to a check that builds them, which looks at them as well.
APART := flavours/fallback flavours/fallback/tests/crate flavours/fallback/tests/logic flavours/fallback/tests/model \
	c-tests/bench/crate c-tests/fuzz/ring-logic c-tests/ordering/model tools/man

## make check-rust     the Rust code is formatted and clean, and so are its doc comments
check-rust:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --quiet --locked --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --quiet --locked --workspace --all-features --no-deps
	for crate in $(APART); do \
		$(CARGO) fetch --quiet --locked --manifest-path $$crate/Cargo.toml || \
			{ echo "SKIP: the crates of $$crate can not be had"; continue; }; \
		$(CARGO) fmt --check --manifest-path $$crate/Cargo.toml && \
		$(CARGO) clippy --quiet --locked --all-targets --all-features --manifest-path $$crate/Cargo.toml \
			--target-dir '$(ABSOLUTE_B)/clippy' -- -D warnings || exit 1; done
	@echo 'no warning'

## make check-cargo-test  unit and integration tests of the logic, on the simulated kernel and the real one
check-cargo-test:
	build-aux/cargo-test.sh $(CARGO) test --locked --workspace
	$(call fallback_tests,logic,$(CARGO) test)
	$(call fallback_tests,model,$(CARGO) test)

# The fallback's logic on its simulated kernel, or in every order of its threads: $(call fallback_tests,CRATE,COMMAND)
fallback_tests = if $(CARGO) fetch --quiet --locked --manifest-path flavours/fallback/tests/$(1)/Cargo.toml; then \
	build-aux/cargo-test.sh $(2) --locked --manifest-path flavours/fallback/tests/$(1)/Cargo.toml --target-dir '$(ABSOLUTE_B)/fallback/$(1)'; \
	else echo 'SKIP: the crates of flavours/fallback/tests/$(1) can not be had'; fi

OLDEST_RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# The architectures of Debian 13, whose rustc has that version.
OLDEST_RUST_ARCHES := amd64 arm64 armhf armel i386 ppc64el riscv64 s390x

## make check-oldest-rust  the libraries build with the oldest Rust that is promised, without a warning, also Debian 13's
check-oldest-rust:
	@if ! $(CARGO) +$(OLDEST_RUST) --version >/dev/null 2>&1; then \
		echo 'SKIP: there is no Rust $(OLDEST_RUST) (rustup toolchain install $(OLDEST_RUST) --profile minimal)'; exit 77; fi
	+$(Q)$(MAKE) O=$(B)/oldest-rust CARGO='$(CARGO) +$(OLDEST_RUST)' RUSTFLAGS='$(RUSTFLAGS) -Dwarnings' all
	@status=0; toolchain=$$(c-tests/cross/debian-rust.sh $(OLDEST_RUST) $(OLDEST_RUST_ARCHES)) || status=$$?; \
		case $$status in 0) ;; 77) exit ;; *) exit 1 ;; esac; \
		RUSTUP_TOOLCHAIN=$$toolchain MAKE='$(MAKE)' CARGO='$(CARGO)' \
		c-tests/cross/check.sh '$(ABSOLUTE_B)/oldest-rust/cross' $(OLDEST_RUST_ARCHES)

## make check-miri     the tests of the ring logic and of the fallback's under Miri, which finds undefined behaviour
# Addresses come to the fallback as numbers, in SQEs. Its tests begin anew as a child of a fork does, which leaves the memory.
check-miri:
	@if ! $(CARGO) +nightly miri --version >/dev/null 2>&1; then \
		echo 'SKIP: there is no Miri (rustup +nightly component add miri)'; exit 77; fi
	build-aux/cargo-test.sh $(CARGO) +nightly miri test --locked -p liburing-core
	$(call fallback_tests,logic,env MIRIFLAGS='-Zmiri-permissive-provenance -Zmiri-ignore-leaks $(MIRIFLAGS)' $(CARGO) +nightly miri test)
