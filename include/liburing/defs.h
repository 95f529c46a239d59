/* Hand-written. Macros that the rest of the headers are written with, some of them for programs to use as well. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_DEFS_H
#define LIBURING_DEFS_H

#include "io_uring_version.h"

/* True, also in preprocessor conditions, if this version of the headers is older than major.minor. */
#define IO_URING_CHECK_VERSION(major, minor) \
    ((major) == IO_URING_VERSION_MAJOR ? (minor) > IO_URING_VERSION_MINOR : (major) > IO_URING_VERSION_MAJOR)

/* Which way a condition nearly always goes. A program may bring its own. */
#ifndef uring_likely
#define uring_likely(cond) __builtin_expect((cond) ? 1 : 0, 1)
#endif
#ifndef uring_unlikely
#define uring_unlikely(cond) __builtin_expect((cond) ? 1 : 0, 0)
#endif

/* A name made of two parts, which may be macros themselves. */
#define _LIBURING_NAME(first, second) _LIBURING_PASTE(first, second)
#define _LIBURING_PASTE(first, second) first##second

/* C++20 modules can't export functions with internal linkage. */
#if defined(__cplusplus) && __cplusplus >= 202002L
#define _LIBURING_PRIVATE inline
#else
#define _LIBURING_PRIVATE static inline
#endif

/* How the inline functions that liburing-ffi also has as symbols are declared. A program may define it first. */
#ifndef IOURINGINLINE
#define IOURINGINLINE _LIBURING_PRIVATE
#endif

/* A condition so rare that a jump beats computing both outcomes. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_expect_with_probability)
#define _liburing_rare(cond) __builtin_expect_with_probability((cond) ? 1 : 0, 0, 0.999)
#endif
#endif
#ifndef _liburing_rare
#define _liburing_rare(cond) uring_unlikely(cond)
#endif

/* A path that is hardly ever taken, kept out of its callers' code. */
#define _LIBURING_COLD _LIBURING_PRIVATE __attribute__((__cold__, __noinline__))

#ifndef LIBURING_NOEXCEPT
#ifdef __cplusplus
#define LIBURING_NOEXCEPT noexcept
#else
#define LIBURING_NOEXCEPT
#endif
#endif

#endif
