# The check library: liburing's interface, which says where a program misuses it.

CHECKER_FIRST := checked_io_uring_submit
CHECKER_HOOKS := free realloc munmap close close_range dup2 dup3 exit \
	setuid setgid seteuid setegid setreuid setregid setresuid setresgid \
	poll ppoll __poll_chk __ppoll_chk select pselect epoll_wait epoll_pwait epoll_pwait2
# Frame pointers: src/place.rs reads the caller's place by them.
CHECKER_FLAGS := -Cforce-frame-pointers=yes

.PHONY: checker install-checker uninstall-checker
## make checker        liburing that says where a program misuses it, in build/checker
## make install-checker  installs it (part of install after configure --enable-checker)
$(eval $(call flavour,CHECKER,check,checker))

CHECKS += check-check
.PHONY: check-check check-check-consumers
CHECKER_TESTS := $(patsubst $(CHECKER)/tests/%.c,$(CHECKER_OUT)/tests/%,$(wildcard $(CHECKER)/tests/*.c))
$(CHECKER_OUT)/tests/%: $(CHECKER)/tests/%.c $(wildcard $(CHECKER)/tests/*.h) $(C_TESTS_INSTALLED)
	$(call say,CC,checker/tests/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(C_TEST_FLAGS) $(c_test_cflags) $< -o $@ $(c_test_libs_so)

## make check-check    the check library: programs that misuse io_uring are reported, like ones that do not and the C tests are not
check-check: $(CHECKER_BUILT) $(CHECKER_TESTS) \
		$(addprefix $(C_TESTS_OUT)/gcc-so/,$(call c_test_programs,so))
	$(Q)CC='$(CC)' PYTHON='$(PYTHON)' CHECKER_OUT='$(abspath $(CHECKER_OUT))' C_TESTS='$(C_TESTS_OUT)/gcc-so' \
		C_TEST_PROGRAMS='$(call c_test_programs,so)' SEEDS='$(SEEDS)' MISUSES='$(abspath $(CHECKER_TESTS))' PREFIX='$(CHECK_PREFIX)' \
		$(CHECKER)/tests/check.sh

## make check-check-consumers  other people's programs on the check library: no report (CONSUMERS=qemu picks one)
check-check-consumers: $(CHECKER_LIB)
	$(Q)LIBURING_LIBDIR='$(abspath $(CHECKER_OUT))' $(CHECKER)/tests/consumers.sh $(CONSUMERS)

.PHONY: checker-conformance
## make checker-conformance  upstream's tests and examples on it: results as on the plain library, reports as recorded (WORDS=proxy)
checker-conformance: $(CHECKER_LIB) $(C_TESTS_INSTALLED)
	$(Q)CC='$(CC)' $(PYTHON) -B $(CHECKER)/tests/suite.py --prefix '$(CHECK_PREFIX)' --library '$(CHECKER_LIB)' \
		--output '$(CHECKER_OUT)/suite' --words '$(WORDS)' $(ARGS)
