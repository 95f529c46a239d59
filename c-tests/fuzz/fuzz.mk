# Random sequences of the whole interface, with this library and with upstream's in lockstep. The ring logic has random
# schedules of its own, on the simulated kernel: ring-logic/.

CHECKS += check-fuzz check-fuzz-planted check-ring-logic
.PHONY: fuzz fuzz-replay check-fuzz check-fuzz-planted check-ring-logic

SEED ?= 1
SECONDS ?=
# Calls for the check.
FUZZ_CALLS ?= 120000
FUZZ_PROGRAM := $(B)/fuzz/fuzz
FUZZ_MAPS := src/liburing-ffi.map src/liburing.map
FUZZ_PARTS := $(addprefix c-tests/fuzz/,world.c resolve.c tame.c guard.c observe.c functions.c)
FUZZ_SOURCES := $(FUZZ_PARTS) $(addprefix c-tests/fuzz/,generate.c run.c program.c fuzz.c)
FUZZ_DEPS := $(wildcard c-tests/fuzz/*.h) $(B)/fuzz/table.h $(wildcard include/*.h include/liburing/*.h)
# The world that functions act on has one type and is read as many.
FUZZ_FLAGS := -D_GNU_SOURCE -std=gnu11 -O2 -g -Wall -Wextra -Werror -fno-strict-aliasing -Iinclude -I$(B)/fuzz -Ic-tests/fuzz
FUZZ_LIBRARIES = $(B)/liburing-ffi.so.$(VERSION_MAJOR) $(B)/liburing.so.$(VERSION_MAJOR)

$(B)/fuzz/table.h: c-tests/fuzz/table.py c-tests/fuzz/own.h include/liburing-ffi.h $(FUZZ_MAPS)
	$(Q)mkdir -p '$(@D)'
	$(Q)$(PYTHON) c-tests/fuzz/table.py include/liburing-ffi.h c-tests/fuzz/own.h $(FUZZ_MAPS) > '$@.new'
	$(Q)mv '$@.new' '$@'

$(FUZZ_PROGRAM): $(FUZZ_SOURCES) $(FUZZ_DEPS)
	$(call say,CC,fuzz)
	$(Q)$(CROSS_COMPILE)gcc $(FUZZ_FLAGS) $(FUZZ_SOURCES) -o '$@' -ldl

fuzz_run = upstream=$$(build-aux/fetch-upstream.sh build) || exit $$?; \
	'$(FUZZ_PROGRAM)' -s '$(SEED)' $(1) -o '$(B)/fuzz/differs.c' $(FUZZ_LIBRARIES) \
		"$$upstream/lib/liburing-ffi.so.2" "$$upstream/lib/liburing.so.2"

## make fuzz           random sequences beside upstream's library, SECONDS=60 SEED=1; a difference is printed as a program
fuzz: library $(FUZZ_PROGRAM)
	@$(call fuzz_run,-t '$(or $(SECONDS),60)' -v)

## make check-fuzz     a fixed number of calls of the same
check-fuzz: library $(FUZZ_PROGRAM)
	@$(call fuzz_run,-n $(FUZZ_CALLS))

## make check-fuzz-planted  faults that are planted in a copy of the library are found and made short
check-fuzz-planted: library $(FUZZ_PROGRAM)
	@upstream=$$(build-aux/fetch-upstream.sh build) || exit $$?; \
	MAKE='$(MAKE)' CC='$(CROSS_COMPILE)gcc' FUZZ_FLAGS="$(FUZZ_FLAGS)" FUZZ_PARTS='$(FUZZ_PARTS)' \
		c-tests/fuzz/planted.sh '$(FUZZ_PROGRAM)' '$(B)' "$$upstream/lib"

## make fuzz-replay    builds PROGRAM, a printed sequence, and shows how the two libraries differ on it
fuzz-replay: library $(B)/fuzz/table.h
	@upstream=$$(build-aux/fetch-upstream.sh build) || exit $$?; \
	CC='$(CROSS_COMPILE)gcc' FUZZ_FLAGS="$(FUZZ_FLAGS)" FUZZ_PARTS='$(FUZZ_PARTS)' \
		c-tests/fuzz/replay.sh '$(or $(PROGRAM),$(B)/fuzz/differs.c)' '$(B)' "$$upstream/lib"

# Schedules for the check.
SCHEDULES ?= 20000

## make check-ring-logic  random schedules of the queues on the simulated kernel: nothing is lost, nothing comes twice
check-ring-logic:
	SCHEDULES='$(SCHEDULES)' build-aux/cargo-test.sh $(CARGO) test --locked --quiet --manifest-path c-tests/fuzz/ring-logic/Cargo.toml \
		--target-dir '$(B)/fuzz/ring-logic' schedule
	CARGO='$(CARGO)' c-tests/fuzz/planted-logic.sh '$(B)'
