# The C tests: every program of c-tests/ built by gcc and by clang, against the shared and the static library of the
# staged installation, and run on the real kernel.
#
# C_TESTS_PREFIX points them at another installation of the library. With C_TESTS_REFERENCE=1 that is upstream's liburing
# itself, and the few cases that it fails are skipped.

CHECKS += check-c check-c-asan check-c-valgrind check-musl
.PHONY: check-c check-c-asan check-c-valgrind check-musl c-tests c-tests-asan c-tests-musl

C_TESTS_PREFIX ?= $(CHECK_PREFIX)
C_TESTS_OUT ?= $(abspath $(B))/c-tests
C_TESTS_JOBS ?= $(shell nproc 2>/dev/null || echo 2)
C_TESTS_INSTALLED := $(if $(filter file,$(origin C_TESTS_PREFIX)),$(B)/stage.stamp)

C_TEST_HEADERS := $(wildcard c-tests/*.h)
C_TEST_PROGRAMS := $(sort $(basename $(notdir $(wildcard c-tests/*.c))))
# Built without libc: only static, and only for the architectures whose start-up code it has.
C_TEST_STATIC_ONLY := freestanding
ifeq ($(filter x86_64 aarch64 riscv64,$(RUST_ARCH)),)
C_TEST_PROGRAMS := $(filter-out $(C_TEST_STATIC_ONLY),$(C_TEST_PROGRAMS))
endif
# The programs that valgrind can follow. It takes memory that the kernel fills asynchronously for uninitialised.
C_TEST_VALGRIND := nop peek overflow timeouts sizes fork big_entries

C_TEST_BUILDS := gcc-so gcc-a $(if $(shell command -v clang),clang-so clang-a)
C_TEST_FLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -g -Wall -Wextra -Werror -pthread
C_TEST_OPT := -O2
C_TEST_OPT_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

C_TEST_CC_gcc := $(CROSS_COMPILE)gcc
C_TEST_CC_clang := clang
C_TEST_CC_asan := $(C_TEST_CC_gcc)
C_TEST_CC_musl := musl-gcc
# musl comes without the kernel's headers.
C_TEST_FLAGS_musl = -idirafter /usr/include -idirafter /usr/include/$(shell gcc -print-multiarch)
C_TEST_CXX_gcc := $(CROSS_COMPILE)g++
C_TEST_CXX_clang := clang++
C_TEST_CXX_asan := $(C_TEST_CXX_gcc)

c_test_pkg = PKG_CONFIG_PATH='$(C_TESTS_PREFIX)/lib/pkgconfig' $(PKG_CONFIG)
c_test_cflags = $$($(c_test_pkg) --cflags liburing)
c_test_libs_so = $$($(c_test_pkg) --libs liburing) -Wl,-rpath,$$($(c_test_pkg) --variable=libdir liburing)
c_test_libs_a = $$($(c_test_pkg) --static --libs liburing | sed 's/-luring/-l:liburing.a/')

c_test_programs = $(if $(filter a,$(1)),$(C_TEST_PROGRAMS),$(filter-out $(C_TEST_STATIC_ONLY),$(C_TEST_PROGRAMS))) cxx11 cxx20

# build, compiler, link mode
define c_test_rules
$(C_TESTS_OUT)/$(1)/%: c-tests/%.c $(C_TEST_HEADERS) $(C_TESTS_INSTALLED)
	$$(call say,CC,$(1)/$$*)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(C_TEST_CC_$(2)) -std=gnu11 $(or $(C_TEST_OPT_$(2)),$(C_TEST_OPT)) $(C_TEST_FLAGS) $$(C_TEST_EXTRA) \
		$$(c_test_cflags) $(C_TEST_FLAGS_$(2)) $$< -o $$@ $$(c_test_libs_$(3))

$(C_TESTS_OUT)/$(1)/cxx%: c-tests/cxx.cpp $(C_TEST_HEADERS) $(C_TESTS_INSTALLED)
	$$(call say,CXX,$(1)/cxx$$*)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(C_TEST_CXX_$(2)) -std=c++$$* $(or $(C_TEST_OPT_$(2)),$(C_TEST_OPT)) $(C_TEST_FLAGS) \
		$$(c_test_cflags) $$< -o $$@ $$(c_test_libs_$(3))

$(C_TESTS_OUT)/$(1)/freestanding: C_TEST_EXTRA := -nostdlib -static -ffreestanding -fno-stack-protector
endef
$(foreach build,$(C_TEST_BUILDS) asan-so musl-so musl-a,$(eval $(call c_test_rules,$(build),$(firstword $(subst -, ,$(build))),$(lastword $(subst -, ,$(build))))))

c-tests: $(foreach build,$(C_TEST_BUILDS),$(addprefix $(C_TESTS_OUT)/$(build)/,$(call c_test_programs,$(lastword $(subst -, ,$(build))))))
# musl has no C++ library.
C_TESTS_MUSL = $(filter-out $(C_TEST_STATIC_ONLY),$(C_TEST_PROGRAMS))
c-tests-musl: $(foreach build,musl-so musl-a,$(addprefix $(C_TESTS_OUT)/$(build)/,$(C_TESTS_MUSL)))
c-tests-asan: $(addprefix $(C_TESTS_OUT)/asan-so/,$(call c_test_programs,so))

c_tests_run = C_TESTS_REFERENCE='$(C_TESTS_REFERENCE)' $(PYTHON) c-tests/run.py --dir '$(C_TESTS_OUT)' --jobs $(C_TESTS_JOBS)

## make check-c        the C tests, with gcc and clang, on the shared and the static library (TESTS="nop poll" picks some)
check-c: $(C_TESTS_INSTALLED)
	$(if $(shell command -v clang),,@echo 'SKIP: there is no clang; the C tests run with gcc only')
	+$(Q)$(MAKE) --no-print-directory -k -j$(C_TESTS_JOBS) c-tests
	$(Q)$(c_tests_run) --builds '$(C_TEST_BUILDS)' $(or $(TESTS),$(call c_test_programs,a))
	$(if $(TESTS)$(C_TESTS_REFERENCE),,$(Q)CROSS_COMPILE='$(CROSS_COMPILE)' c-tests/static/check.sh '$(C_TESTS_PREFIX)' '$(C_TESTS_OUT)/static')

## make check-c-asan   the same under the address and undefined behaviour sanitizers
check-c-asan: $(C_TESTS_INSTALLED)
	+$(Q)$(MAKE) --no-print-directory -k -j$(C_TESTS_JOBS) c-tests-asan
	$(Q)$(c_tests_run) --builds asan-so $(or $(TESTS),$(call c_test_programs,so))

## make check-musl     the same with musl, on the shared and the static library
check-musl: $(C_TESTS_INSTALLED)
	@if ! command -v musl-gcc >/dev/null; then echo 'SKIP: there is no musl-gcc'; exit 77; fi
	+$(Q)$(MAKE) --no-print-directory -k -j$(C_TESTS_JOBS) c-tests-musl
	$(Q)$(c_tests_run) --builds 'musl-so musl-a' $(or $(TESTS),$(C_TESTS_MUSL))

## make check-c-valgrind  some of them under valgrind
check-c-valgrind: $(C_TESTS_INSTALLED)
	@if ! command -v valgrind >/dev/null; then echo 'SKIP: there is no valgrind'; exit 77; fi
	+$(Q)$(MAKE) --no-print-directory -k -j$(C_TESTS_JOBS) $(addprefix $(C_TESTS_OUT)/gcc-so/,$(C_TEST_VALGRIND))
	$(Q)$(c_tests_run) --builds gcc-so --wrapper 'valgrind -q --trace-children=yes --error-exitcode=9' $(C_TEST_VALGRIND)
