# liburing: build, install, check. `make help` lists the targets; `./configure` is optional.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# The version of liburing. Cargo.toml has it, followed by this project's own number.
VERSION := $(shell sed -nE 's/^version = "([0-9]+\.[0-9]+)\..*/\1/p' Cargo.toml)
VERSION_MAJOR := $(basename $(VERSION))

# Where configure was run: config.mk and build/ live there.
O ?= .
B := $(O)/build

-include $(O)/config.mk

prefix ?= /usr
includedir ?= $(prefix)/include
libdir ?= $(prefix)/lib
libdevdir ?= $(prefix)/lib
mandir ?= $(prefix)/man
datadir ?= $(prefix)/share

ENABLE_SHARED ?= 1

# CROSS_COMPILE=aarch64-linux-gnu- selects a cross toolchain, CARGO_BUILD_TARGET the Rust target that goes with it.
CROSS_COMPILE ?=
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin CXX),default)
CXX := $(CROSS_COMPILE)g++
endif
ifeq ($(origin AR),default)
AR := $(CROSS_COMPILE)ar
endif
NM ?= $(CROSS_COMPILE)nm
READELF ?= $(CROSS_COMPILE)readelf
OBJCOPY ?= $(CROSS_COMPILE)objcopy
STRIP ?= $(CROSS_COMPILE)strip
CARGO ?= cargo
RUSTC ?= rustc
# Debian's python3 comes first: Debian's packages of Python modules are for it.
PYTHON ?= $(or $(wildcard /usr/bin/python3),python3)
INSTALL ?= install
PKG_CONFIG ?= pkg-config

ifneq ($(V),1)
Q := @
endif
ifeq ($(V)$(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS)))),)
say = @printf '  %-8s %s\n' '$(1)' '$(2)'
endif

# Each topic adds its targets, and its checks to CHECKS. Files whose variables the others use come first.
CHECKS :=
TOPICS := $(sort $(wildcard build-aux/*.mk c-tests/*.mk c-tests/*/*.mk io_uring-2019/*.mk flavours/*.mk flavours/*/*.mk tools/*/*.mk packaging/*.mk))
FIRST_TOPICS := build-aux/lib.mk build-aux/install.mk c-tests/c-tests.mk io_uring-2019/io_uring-2019.mk flavours/flavour.mk
include $(FIRST_TOPICS)
include $(filter-out $(FIRST_TOPICS),$(TOPICS))

.PHONY: all library help clean distclean

all: library
library: $(LIBRARIES)

help:
	@sed -n 's/^## *//p' Makefile $(TOPICS)

## make                the libraries, in build/
# The value of a variable, for scripts: make print-libdir
print-%:
	@printf '%s\n' '$($*)'

## make clean          removes build/ and target/
clean:
	rm -rf $(B) target

## make distclean      the same, and what configure wrote
distclean: clean
	rm -f $(O)/config.mk
