/* Hand-written. What the C library and the kernel's headers may lack, found out when a program is compiled. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_COMPAT_H
#define LIBURING_COMPAT_H

/*
 * Programs count on what these bring with them. No others are read here or in linux_types.h: each name that one of them
 * defines is a name that a program can no longer use for itself (make check-abi).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "linux_types.h"

/*
 * The C library
 *
 * In strict ISO modes (-std=c99) it keeps POSIX types to itself unless a feature-test macro asks for them. The headers
 * were all read above and will not be read again, so what they left out can be put in.
 */
#ifdef __GLIBC__

#ifdef __has_include
#if __has_include("bits/types/siginfo_t.h") && __has_include("bits/types/idtype_t.h")
#include <bits/types/idtype_t.h>
#include <bits/types/siginfo_t.h>
#include <bits/types/sigset_t.h>
#endif
#endif
#ifndef __id_t_defined
typedef __id_t id_t;
#define __id_t_defined
#endif
/* A name that is the program's own where it asks for no more than POSIX. */
#ifdef __USE_MISC
#define _LIBURING_LOFF_T loff_t
#else
#define _LIBURING_LOFF_T __loff_t
#define _LIBURING_NO_LOFF_T
#endif

#elif !defined(__BIONIC__)

/* musl: each macro here comes with the type. */
#ifndef SIG_BLOCK
/* For sigset_t. */
#include <sys/select.h>
typedef struct liburing_siginfo siginfo_t;
#endif
#ifndef CPU_SETSIZE
typedef struct cpu_set_t cpu_set_t;
#endif
#ifndef loff_t
#define _LIBURING_NO_LOFF_T
#endif
#define _LIBURING_LOFF_T off_t

#else

#define _LIBURING_LOFF_T loff_t

#endif

/* Bindings take all types from here. <liburing.h> leaves these names to the program. */
#ifdef LIBURING_FFI_H
#ifdef __has_include
#if __has_include("linux/futex.h")
#include <linux/futex.h>
#endif
#endif
#ifdef _LIBURING_NO_LOFF_T
typedef _LIBURING_LOFF_T loff_t;
#endif
#endif

/* The system calls' current directory, as strict modes leave it out. */
#ifndef AT_FDCWD
#define AT_FDCWD -100
#endif

/* Only ever passed on by address. */
struct epoll_event;
struct futex_waitv;
struct statx;

/*
 * The kernel's headers
 */
#ifdef __has_include
#if !__has_include("linux/filter.h")
#define _LIBURING_NO_FILTER
#endif
#if !__has_include("linux/ioctl.h")
#define _LIBURING_NO_IOCTL
#endif
#if !__has_include("linux/openat2.h")
#define _LIBURING_NO_OPENAT2
#endif
#if !__has_include("linux/swab.h")
#define _LIBURING_NO_SWAB
#endif
#if __has_include("linux/blkdev.h")
#include <linux/blkdev.h>
#endif
#endif

#ifndef _LIBURING_NO_FILTER
#include <linux/filter.h>
#endif
#ifndef _LIBURING_NO_SWAB
#include <linux/swab.h>
#endif

#ifndef _LIBURING_NO_OPENAT2
#include <linux/openat2.h>
#else
/* How to open a file, for io_uring_prep_openat2(). */
struct open_how {
    __u64 flags;
    __u64 mode;
    __u64 resolve;
};
#endif

/* A program that has read <linux/futex.h> gets what that lacks before 5.16. */
#if defined(_LINUX_FUTEX_H) && !defined(FUTEX_WAITV_MAX)
#define FUTEX_32 2
#define FUTEX_WAITV_MAX 128

/* One futex to wait for, for io_uring_prep_futex_waitv(). */
struct futex_waitv {
    __u64 val;
    __u64 uaddr;
    __u32 flags;
    __u32 __reserved;
};
#endif

/* Since 6.12. */
#ifndef BLOCK_URING_CMD_DISCARD
#ifndef _LIBURING_NO_IOCTL
#include <linux/ioctl.h>
#else
#include <sys/ioctl.h>
#endif
#define BLOCK_URING_CMD_DISCARD _IO(0x12, 0)
#endif

/*
 * The system calls' numbers, as <sys/syscall.h> has them since 5.1. Only Alpha counts otherwise, and MIPS from a start
 * of its own.
 */
#ifndef __NR_io_uring_setup
#if defined(__alpha__)
#define __NR_io_uring_setup 535
#elif defined(__mips__)
#define __NR_io_uring_setup (__NR_Linux + 425)
#else
#define __NR_io_uring_setup 425
#endif
#endif
#ifndef __NR_io_uring_enter
#if defined(__alpha__)
#define __NR_io_uring_enter 536
#elif defined(__mips__)
#define __NR_io_uring_enter (__NR_Linux + 426)
#else
#define __NR_io_uring_enter 426
#endif
#endif
#ifndef __NR_io_uring_register
#if defined(__alpha__)
#define __NR_io_uring_register 537
#elif defined(__mips__)
#define __NR_io_uring_register (__NR_Linux + 427)
#else
#define __NR_io_uring_register 427
#endif
#endif

#endif
