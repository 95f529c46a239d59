# The libraries. Cargo makes an archive of src/, once plain and once with the header's inline functions (ffi).
# Fat LTO leaves one object in it. All installed libraries are made from that object.

comma := ,
RUST_TARGET ?= $(or $(CARGO_BUILD_TARGET),$(shell $(RUSTC) -vV | sed -n 's/^host: //p'))
RUST_ARCH := $(firstword $(subst -, ,$(RUST_TARGET)))
CORE_SOURCES := $(shell find core/src -name '*.rs') core/build.rs core/Cargo.toml Cargo.toml Cargo.lock
RUST_SOURCES := $(CORE_SOURCES) $(shell find src -name '*.rs') build.rs

# CFLAGS decide about debug information: packagers set them, and split the information off themselves.
RUST_DEBUGINFO ?= $(if $(filter -g -g1 -g2 -g3 -ggdb%,$(CFLAGS)),2,0)

# ARM's unwinding tables name functions of the unwinder, which is in another library.
ARCH_RUSTFLAGS := $(if $(filter arm%,$(RUST_ARCH)),-Cforce-unwind-tables=no)

# Vectorised loops over a handful of entries cost more than they save. Functions start on 16 bytes, as they would when
# optimised for speed. The prefix map keeps the path of the build directory out of the result.
LIB_RUSTFLAGS := $(ARCH_RUSTFLAGS) -Crelocation-model=pic -Cno-vectorize-loops -Cno-vectorize-slp -Cllvm-args=-unroll-runtime=false -Cllvm-args=-align-all-functions=4 -Cdebuginfo=$(RUST_DEBUGINFO) $(RUSTFLAGS)
# Behind RUSTFLAGS: with such checks a panic is reachable, which the build refuses.
LIB_RUSTFLAGS += -Coverflow-checks=no -Cdebug-assertions=no
ifneq ($(findstring overflow-checks,$(RUSTFLAGS))$(findstring debug-assertions,$(RUSTFLAGS)),)
$(info RUSTFLAGS: overflow checks and debug assertions stay off in the library: it has no place to panic to)
endif

# Before version 6 ARM has no atomic instructions; libgcc asks the kernel.
ALLOWED_UNDEFINED_armv5te := __sync_lock_test_and_set_2 __sync_lock_test_and_set_4 __sync_val_compare_and_swap_4 __sync_synchronize
ALLOWED_UNDEFINED_sparc64 := __clzdi2 __ctzdi2
# The linker gives this one its value: the distance to the global pointer.
ALLOWED_UNDEFINED_mipsel := _gp_disp

# Architectures without a system call of their own in core/src/kernel/native use libc's. USE_LIBC=1 (configure
# --use-libc) takes libc's everywhere, for programs that put functions of their own before them.
NATIVE_ARCHS := x86_64 aarch64 riscv64 riscv64gc
USE_LIBC ?= 0
ifeq ($(filter $(RUST_ARCH),$(NATIVE_ARCHS)),)
override USE_LIBC := 1
endif
ifeq ($(USE_LIBC),1)
API_RUSTFLAGS += --cfg=uring_libc
LIB_LIBS := -lc
# The functions that the compiler itself calls there are in libc and libgcc, or the linker makes them.
ALLOWED_UNDEFINED := syscall mmap64 mmap munmap madvise close prlimit64 prlimit gettid getauxval __errno_location \
	malloc free memset memcpy memmove \
	.TOC. _GLOBAL_OFFSET_TABLE_ $(ALLOWED_UNDEFINED_$(RUST_ARCH))
endif
LIB_LIBS += $(if $(ALLOWED_UNDEFINED_$(RUST_ARCH)),-lgcc)

# ENABLE_CFI=1 (configure --enable-cfi): landing pads for indirect calls, on ARM signed return addresses, too, and the
# notes that say so. ENABLE_STACK_PROTECTOR=1: canaries, which are libc's. These options of rustc are not stable, so the
# compiler has to be told that its user means it. Those who build a distribution own its compiler. The library of 2019
# is left out: its functions in assembly have no landing pads.
ENABLE_CFI ?= 0
ENABLE_STACK_PROTECTOR ?= 0
ifeq ($(ENABLE_CFI),1)
CFI_RUSTFLAGS := $(if $(filter x86_64 i686 i586,$(RUST_ARCH)),-Zcf-protection=full)
CFI_RUSTFLAGS += $(if $(filter aarch64,$(RUST_ARCH)),-Zbranch-protection=bti$(comma)pac-ret)
ifeq ($(strip $(CFI_RUSTFLAGS)),)
$(info ENABLE_CFI: rustc has no such protection for $(RUST_ARCH))
else
UNSTABLE_RUSTFLAGS += $(CFI_RUSTFLAGS) --cfg=uring_cfi
endif
endif
ifeq ($(ENABLE_STACK_PROTECTOR),1)
ifneq ($(USE_LIBC),1)
$(error ENABLE_STACK_PROTECTOR=1 needs USE_LIBC=1: what a damaged stack leads to is libc's)
endif
ALLOWED_UNDEFINED += __stack_chk_fail __stack_chk_guard
UNSTABLE_RUSTFLAGS += -Zstack-protector=strong
endif
API_RUSTFLAGS += $(UNSTABLE_RUSTFLAGS)
RUSTC_UNSTABLE := $(if $(UNSTABLE_RUSTFLAGS),RUSTC_BOOTSTRAP=1)

# noseparate-code: code and constants in one mapping, which saves two pages of padding and two system calls at start-up.
# ENABLE_SEPARATE_CODE=1 (configure --enable-separate-code) keeps constants from being executable instead.
# bfd alone keeps the order of the version nodes. --no-undefined-version: a name in the map that is not there is an error.
ENABLE_SEPARATE_CODE ?= 0
SEPARATE_CODE := $(if $(filter 1,$(ENABLE_SEPARATE_CODE)),separate-code,noseparate-code)
SO_LDFLAGS = -shared -nostdlib -nostartfiles $(LDFLAGS) -fuse-ld=bfd -Wl,--no-undefined-version -Wl,-z,defs -Wl,-z,relro \
	-Wl,-z,now -Wl,-z,noexecstack -Wl,-z,$(SEPARATE_CODE) -Wl,-z,text -Wl,--gc-sections -Wl,--hash-style=gnu -Wl,-O1

SONAME_uring := liburing.so.$(VERSION_MAJOR)
SONAME_uring-ffi := liburing-ffi.so.$(VERSION_MAJOR)
SHARED_uring := $(B)/liburing.so.$(VERSION)
SHARED_uring-ffi := $(B)/liburing-ffi.so.$(VERSION)
STATIC_LIBRARIES := $(B)/liburing.a $(B)/liburing-ffi.a
SHARED_LIBRARIES := $(SHARED_uring) $(SHARED_uring-ffi)
LIBRARIES := $(STATIC_LIBRARIES) $(if $(filter 1,$(ENABLE_SHARED)),$(SHARED_LIBRARIES))

FEATURES_uring :=
FEATURES_uring-ffi := --features ffi

# On RISC-V and LoongArch, GNU ld writes unwinding tables into linked objects that it cannot read afterwards.
ONE_MEMBER := $(if $(filter riscv% loongarch%,$(RUST_ARCH)),1)

define object_rule
$(B)/$(1).o: $(RUST_SOURCES) build-aux/lto-object.sh build-aux/lib.mk $(wildcard $(O)/config.mk)
	$$(call say,CARGO,$(1))
	$$(Q)mkdir -p $(B)
	+$$(Q)$(RUSTC_UNSTABLE) CARGO='$(CARGO)' AR='$(AR)' NM='$(NM)' OBJCOPY='$(OBJCOPY)' \
		LIB_RUSTFLAGS='$(LIB_RUSTFLAGS) $(API_RUSTFLAGS)' ALLOWED_UNDEFINED='$(ALLOWED_UNDEFINED)' \
		build-aux/lto-object.sh $$@ $(B)/cargo-$(1) $(RUST_TARGET) $(FEATURES_$(1))

$(B)/lib$(1).a: $(B)/$(1).o build-aux/archive.sh
	$$(call say,AR,$$(@F))
	$$(Q)CC='$(CC)' AR='$(AR)' NM='$(NM)' OBJCOPY='$(OBJCOPY)' ONE_MEMBER=$(ONE_MEMBER) build-aux/archive.sh $$@ $$<

$$(SHARED_$(1)): $(B)/$(1).o src/lib$(1).map build-aux/lib.mk
	$$(call say,LD,$$(@F))
	$$(Q)$(CC) $$(SO_LDFLAGS) -Wl,-soname,$(SONAME_$(1)) -Wl,--version-script=src/lib$(1).map -o $$@ $$< $(LIB_LIBS)
	$$(Q)ln -sf $$(@F) $(B)/$(SONAME_$(1))
	$$(Q)ln -sf $(SONAME_$(1)) $(B)/lib$(1).so
endef
$(foreach lib,uring uring-ffi,$(eval $(call object_rule,$(lib))))
