/* Hand-written. The kernel's basic types: from its own headers where the system has them, else from here. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_LINUX_TYPES_H
#define LIBURING_LINUX_TYPES_H

/*
 * Names in quotes: older compilers replace "linux" by 1 between angle brackets. A compiler too old for __has_include
 * finds all headers or fails.
 */
#ifdef __has_include
#if !__has_include("linux/types.h")
#define _LIBURING_NO_TYPES
#endif
#if !__has_include("linux/fs.h")
#define _LIBURING_NO_FS
#endif
#if !__has_include("linux/time_types.h")
#define _LIBURING_NO_TIME_TYPES
#endif
#endif

#ifndef _LIBURING_NO_TYPES
#include <linux/types.h>
#else
typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
__extension__ typedef unsigned long long __u64;
__extension__ typedef long long __s64;
#define __aligned_u64 __u64 __attribute__((aligned(8)))
#endif

#ifndef _LIBURING_NO_FS
#include <linux/fs.h>
#endif
/* That header had this macro from the start of the type, in 4.14. */
#ifndef RWF_SUPPORTED
typedef int __kernel_rwf_t;
#endif

#ifndef _LIBURING_NO_TIME_TYPES
#include <linux/time_types.h>
#else
/* Seconds and nanoseconds, 64 bits each on every architecture. */
struct __kernel_timespec {
    __s64 tv_sec;
    __extension__ long long tv_nsec;
};
#endif

#endif
