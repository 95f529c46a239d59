# The fallback: liburing's interface served from user space where the kernel refuses io_uring.

FALLBACK_FIRST := io_uring_queue_init
FALLBACK_HOOKS := close __close close_range closefrom dup2 __dup2 dup3 poll __poll_chk ppoll __ppoll_chk select pselect epoll_wait epoll_pwait \
	epoll_pwait2 epoll_ctl mmap mmap64 syscall inotify_add_watch fanotify_mark \
	fclose _IO_fclose freopen freopen64 pclose endmntent __endmntent closedir mq_close \
	sigaction signal sigprocmask pthread_sigmask
FALLBACK_ALSO := liburing_fallback_active

.PHONY: fallback install-fallback uninstall-fallback
## make fallback       liburing served from user space where io_uring is refused, in build/fallback
## make install-fallback  installs it, with the command liburing-fallback (part of install after configure --enable-fallback)
$(eval $(call flavour,FALLBACK,fallback,fallback))

# A command to which io_uring, or other system calls, are refused.
$(FALLBACK_OUT)/refuse: $(FALLBACK)/tests/refuse.c
	$(call say,CC,fallback/refuse)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror $< -o $@

CHECKS += check-fallback
.PHONY: check-fallback check-fallback-consumers
FALLBACK_TESTS := $(patsubst $(FALLBACK)/tests/%.c,$(FALLBACK_OUT)/tests/%,$(filter-out %/refuse.c,$(wildcard $(FALLBACK)/tests/*.c)))
$(FALLBACK_OUT)/tests/%: $(FALLBACK)/tests/%.c $(wildcard $(FALLBACK)/tests/*.h) $(C_TEST_HEADERS) $(C_TESTS_INSTALLED)
	$(call say,CC,fallback/tests/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(C_TEST_FLAGS) $(FALLBACK_ROUNDS) -Ic-tests $(c_test_cflags) $< -o $@ $(c_test_libs_so)

# Programs whose system calls are instructions of their own: the plain archive's.
FALLBACK_INSTRUCTIONS := $(FALLBACK_OUT)/instructions
FALLBACK_INSTRUCTION_TESTS := $(patsubst $(FALLBACK)/tests/instructions/%.c,$(FALLBACK_INSTRUCTIONS)/%,$(wildcard $(FALLBACK)/tests/instructions/*.c)) \
	$(patsubst $(FALLBACK_OUT)/tests/%,$(FALLBACK_INSTRUCTIONS)/own/%,$(filter-out %/linked,$(FALLBACK_TESTS)))
fallback_instructions = $(Q)mkdir -p $(@D) && $(CC) -std=gnu11 -O2 $(C_TEST_FLAGS) -Ic-tests $(c_test_cflags) $< -o $@ $(c_test_libs_a)
$(FALLBACK_INSTRUCTIONS)/own/%: $(FALLBACK)/tests/%.c $(wildcard $(FALLBACK)/tests/*.h) $(C_TEST_HEADERS) $(C_TESTS_INSTALLED)
	$(call say,CC,fallback/instructions/own/$*)
	$(fallback_instructions)
$(FALLBACK_INSTRUCTIONS)/%: $(FALLBACK)/tests/instructions/%.c $(FALLBACK)/tests/instructions/bare.h $(C_TEST_HEADERS) $(C_TESTS_INSTALLED)
	$(call say,CC,fallback/instructions/$*)
	$(fallback_instructions)

# The C tests as static programs.
FALLBACK_STATIC := $(FALLBACK_OUT)/static
$(FALLBACK_STATIC)/%: c-tests/%.c $(FALLBACK)/tests/static.h $(C_TEST_HEADERS) $(FALLBACK_OUT)/liburing-fallback.a $(C_TESTS_INSTALLED)
	$(call say,CC,fallback/static/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(C_TEST_FLAGS) -include $(FALLBACK)/tests/static.h \
		$(c_test_cflags) $< -o $@ -static $(FALLBACK_OUT)/liburing-fallback.a
FALLBACK_C_TESTS := $(filter-out $(C_TEST_STATIC_ONLY),$(C_TEST_PROGRAMS))

# Its own tests for a machine that has no C library: with the loader, the library and libc beside them. A program is
# started in a folder beside that of the programs.
FALLBACK_VM := $(FALLBACK_OUT)/vm
FALLBACK_FEWER := -DLOCKED_ROUNDS=1000 -DSHARED_REQUESTS=20000 -DWOKEN_ROUNDS=100 -DLED_ROUNDS=50 -DCANCELLED_ROUNDS=100 -DWOKEN_IN_TURN=100 -DHANDED_ROUNDS=20 -DEXIT_ROUNDS=50
$(FALLBACK_VM)/own/%: $(FALLBACK)/tests/%.c $(wildcard $(FALLBACK)/tests/*.h) $(C_TEST_HEADERS) $(FALLBACK_LIB) $(C_TESTS_INSTALLED)
	$(call say,CC,fallback/vm/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(C_TEST_FLAGS) $(FALLBACK_FEWER) -Ic-tests $(c_test_cflags) $< -o $@ $(FALLBACK_LIB) \
		-Wl,--dynamic-linker=../bin/ld.so -Wl,-rpath,'$$ORIGIN'

.PHONY: fallback-vm
## make fallback-vm    the C tests and its own on other kernels, emulated: without io_uring, old, refused by the sysctl
##                     (FALLBACK_VM_SUITES=sid TESTS="nop own-files" pick some)
FALLBACK_VM_SUITES ?= without bullseye bookworm-backports sid
FALLBACK_VM_TESTS = $(FALLBACK_C_TESTS) $(addprefix own-,$(filter-out linked probe,$(notdir $(FALLBACK_TESTS))))
fallback-vm: $(addprefix $(FALLBACK_STATIC)/,$(FALLBACK_C_TESTS)) \
		$(patsubst $(FALLBACK_OUT)/tests/%,$(FALLBACK_VM)/own/%,$(FALLBACK_TESTS)) $$(VM_OUT)/init
	$(Q)cp "$$($(CC) -print-file-name=ld-linux-x86-64.so.2)" $(FALLBACK_VM)/ld.so
	$(Q)$(PYTHON) -B $(FALLBACK)/tests/vm.py --init $(VM_OUT)/init --static $(FALLBACK_STATIC) --own $(FALLBACK_VM)/own \
		--beside $(FALLBACK_LIB) --beside $(FALLBACK_VM)/ld.so --beside "$$($(CC) -print-file-name=libc.so.6)" \
		--list $(FALLBACK)/tests/differs.txt --output $(FALLBACK_VM) --suites '$(FALLBACK_VM_SUITES)' \
		$(or $(TESTS),$(FALLBACK_VM_TESTS))

## make check-fallback  the C tests, tests of its own, qemu-img and a program on the io-uring crate, io_uring refused
check-fallback: $(FALLBACK_BUILT) $(FALLBACK_OUT)/refuse $(FALLBACK_TESTS) $(FALLBACK_INSTRUCTION_TESTS) \
		$(foreach build,gcc-so gcc-a,$(addprefix $(C_TESTS_OUT)/$(build)/,$(call c_test_programs,so))) $(addprefix $(FALLBACK_STATIC)/,$(FALLBACK_C_TESTS))
	$(Q)CC='$(CC)' CARGO='$(CARGO)' PYTHON='$(PYTHON)' FALLBACK_OUT='$(abspath $(FALLBACK_OUT))' C_TESTS='$(C_TESTS_OUT)/gcc-so' \
		C_TEST_PROGRAMS='$(call c_test_programs,so)' ARCHIVE_TESTS='$(C_TESTS_OUT)/gcc-a' STATIC_PROGRAMS='$(FALLBACK_C_TESTS)' PREFIX='$(CHECK_PREFIX)' $(FALLBACK)/tests/check.sh

.PHONY: check-fallback-user fallback-under
## make check-fallback-user  the C tests and its own on other architectures, under QEMU's user emulation (ARCHES="arm64")
check-fallback-user:
	$(Q)MAKE='$(MAKE)' CARGO='$(CARGO)' $(FALLBACK)/tests/user.sh '$(ABSOLUTE_B)/fallback-user' $(ARCHES)

# The same in a build for another architecture, where UNDER is a command that runs its programs.
FALLBACK_UNDER := $(filter-out cxx%,$(call c_test_programs,so))
fallback-under: $(FALLBACK_LIB) $(FALLBACK_TESTS) $(addprefix $(C_TESTS_OUT)/gcc-so/,$(FALLBACK_UNDER))
	$(Q)for kind in '$(C_TESTS_OUT)/gcc-so $(FALLBACK_UNDER)' \
			'$(FALLBACK_OUT)/tests $(filter-out linked probe,$(notdir $(FALLBACK_TESTS)))'; do \
		set -- $$kind; directory=$$1; shift; \
		C_TESTS=$$directory $(PYTHON) $(FALLBACK)/tests/c_cases.py --dir "$$directory" --list $(FALLBACK)/tests/differs.txt --kind user \
			--jobs 2 --wrapper '$(UNDER) -E LD_PRELOAD=$(abspath $(FALLBACK_LIB))' "$$@" || exit 1; done

## make check-fallback-consumers  other people's programs, io_uring refused and allowed (CONSUMERS=qemu picks one)
check-fallback-consumers: $(FALLBACK_LIB) $(FALLBACK_OUT)/refuse
	$(Q)CONSUMERS_SIDES='debian refused contained allowed' CONSUMERS_REFUSE='$(abspath $(FALLBACK_OUT))/refuse' LIBURING_LIBDIR='$(abspath $(FALLBACK_OUT))' \
		c-tests/consumers/run.sh $(CONSUMERS)

.PHONY: fallback-conformance
## make fallback-conformance  upstream's test suite on it, io_uring refused, against recorded outcomes (ARGS="--only nop --runs 10")
fallback-conformance: $(FALLBACK_LIB) $(FALLBACK_OUT)/refuse $(C_TESTS_INSTALLED)
	$(Q)CC='$(CC)' $(PYTHON) -B $(FALLBACK)/tests/suite.py --prefix '$(CHECK_PREFIX)' --library '$(FALLBACK_LIB)' \
		--refuse '$(FALLBACK_OUT)/refuse' --output '$(FALLBACK_OUT)/suite' $(ARGS)

.PHONY: bench-fallback
## make bench-fallback  times beside the kernel's io_uring and a pool of threads; QUICK=1: half a minute, into no document
bench-fallback: stage $(FALLBACK_LIB)
	$(Q)CC='$(CC)' $(PYTHON) -B $(FALLBACK)/tests/bench.py --prefix '$(CHECK_PREFIX)' --library '$(FALLBACK_LIB)' \
		--output '$(FALLBACK_OUT)/bench' $(if $(QUICK),--seconds 0.3 --turns 5,--into docs/fallback.md)
