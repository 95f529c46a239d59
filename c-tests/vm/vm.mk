# The library on other kernels: static programs in an emulated machine.

CHECKS += check-vm
.PHONY: check-vm vm vm-kernels vm-arches vm-suite vm-programs

VM_PREFIX ?= $(CHECK_PREFIX)
VM_INSTALLED := $(if $(filter file,$(origin VM_PREFIX)),$(B)/stage.stamp)
# Each installation has its own programs.
VM_OUT ?= $(abspath $(B))/vm$(if $(VM_INSTALLED),,$(subst /,-,$(VM_PREFIX)))
VM_SUITES ?= bullseye bookworm bookworm-backports trixie-backports sid
VM_LINK ?= -static
VM_LIBRARY ?= $(VM_PREFIX)/lib/liburing.a
VM_FLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O2 -g -Wall -Wextra -Werror -pthread $(VM_LINK)

# Programs of the interface of January 2019, if it is built. Another installation may lack it. Traps (steps) are
# too slow in an emulated machine.
$(if $(ENABLE_2019),,$(error vm.mk needs ENABLE_2019, so io_uring-2019.mk comes before it))
VM_2019 := $(if $(filter 1,$(ENABLE_2019)),$(if $(VM_INSTALLED),requests setup_errors errors life descriptors entry_lock handlers poller library reads engine))

VM_PROGRAMS := $(addprefix $(VM_OUT)/programs/,$(filter-out $(C_TEST_STATIC_ONLY),$(C_TEST_PROGRAMS)) \
	$(basename $(notdir $(wildcard c-tests/vm/programs/*.c))) $(addprefix 2019-,$(VM_2019)))

$(VM_OUT)/programs/%: c-tests/%.c $(wildcard c-tests/*.h) $(VM_INSTALLED)
	$(call say,CC,vm/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VM_FLAGS) -I$(VM_PREFIX)/include $< -o $@ $(VM_LIBRARY)

$(VM_OUT)/programs/%: c-tests/vm/programs/%.c $(wildcard c-tests/*.h c-tests/vm/programs/*.h) $(VM_INSTALLED)
	$(call say,CC,vm/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VM_FLAGS) -Ic-tests -I$(VM_PREFIX)/include $< -o $@ $(VM_LIBRARY)

$(VM_OUT)/programs/2019-%: io_uring-2019/tests/%.c $(wildcard io_uring-2019/tests/*.h c-tests/test.h) $(VM_INSTALLED)
	$(call say,CC,vm/2019-$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VM_FLAGS) -DLINKED -I$(VM_PREFIX)/include/liburing-0.1 $< -o $@ $(VM_PREFIX)/lib/liburing-0.1/liburing.a

$(VM_OUT)/init: c-tests/vm/init.c
	$(call say,CC,vm/init)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O2 -Wall -Wextra -Werror -static $< -o $@

vm-programs: $(VM_PROGRAMS) $(VM_OUT)/init

## make vm             the C tests on older and newer kernels, emulated (TESTS="nop older", VM_SUITES=bookworm), and, with
##                     ARCHES="arm64 i386", on other architectures beside upstream's library
vm: $(if $(ARCHES),vm-arches,vm-kernels)

vm-kernels:
	+$(Q)$(MAKE) --no-print-directory -j2 vm-programs
	$(Q)$(PYTHON) -B c-tests/vm/vm.py --init $(VM_OUT)/init --programs $(VM_OUT)/programs --output $(VM_OUT) \
		--suites '$(VM_SUITES)' $(if $(C_TESTS_REFERENCE),--reference) $(or $(TESTS),$(sort $(notdir $(VM_PROGRAMS))))

# directory, C tests to leave out
vm_arches = MAKE='$(MAKE)' CARGO='$(CARGO)' PYTHON='$(PYTHON)' \
	TESTS='$(or $(TESTS),$(filter-out $(C_TEST_STATIC_ONLY) $(2),$(C_TEST_PROGRAMS)))' c-tests/vm/arches.sh $(1)

vm-arches:
	$(Q)$(call vm_arches,'$(ABSOLUTE_B)/vm-arches') $(ARCHES)

# Their kernels have weakly ordered memory, 32 bits, and the other byte order. Programs that only take long are left out.
CHECK_VM_ARCHES := arm64 i386 s390x
CHECK_VM_WITHOUT := interrupts threads

## make check-vm       most C tests on the kernels of other architectures, emulated, beside upstream's library
check-vm:
	$(Q)$(call vm_arches,'$(ABSOLUTE_B)/vm-arches',$(CHECK_VM_WITHOUT)) $(CHECK_VM_ARCHES)

## make vm-suite       upstream's whole suite on those kernels, on its library and on ours (TESTS, VM_SUITES)
vm-suite: $(VM_OUT)/init $(VM_INSTALLED)
	$(Q)$(PYTHON) -B c-tests/vm/suite.py --init $(VM_OUT)/init --ours-prefix '$(VM_PREFIX)' --output $(VM_OUT)-suite \
		--suites '$(VM_SUITES)' $(TESTS)
