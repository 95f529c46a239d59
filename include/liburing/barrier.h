/* Hand-written. Ordered access to memory that is shared with the kernel. */
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LIBURING_BARRIER_H
#define LIBURING_BARRIER_H

/*
 * A ring's head and tail are each written by one side and read by the other. The writer finishes its entry and then
 * publishes the index (release); the reader fetches the index and then looks at the entry (acquire). Flags that
 * announce nothing but themselves are read and written whole, without order.
 *
 *   IO_URING_READ_ONCE(var)             reads a variable, once and whole
 *   IO_URING_WRITE_ONCE(var, val)       writes it likewise
 *   io_uring_smp_load_acquire(p)        reads *p; what follows stays behind it
 *   io_uring_smp_store_release(p, v)    writes *p; what precedes stays before it
 *   io_uring_smp_mb()                   nothing crosses, in either direction
 */

#ifndef LIBURING_NOEXCEPT
#ifdef __cplusplus
#define LIBURING_NOEXCEPT noexcept
#else
#define LIBURING_NOEXCEPT
#endif
#endif

/* The compiler's own operations serve any language version; the header stays for programs that count on it. */
#ifdef __cplusplus
/* Also where a program puts the whole header between the braces of extern "C", which templates can't be in. */
extern "C++" {
#include <atomic>

template <typename T>
inline T IO_URING_READ_ONCE(const T &var) LIBURING_NOEXCEPT
{
    T value;

    __atomic_load(&var, &value, __ATOMIC_RELAXED);
    return value;
}

template <typename T, typename V>
inline void IO_URING_WRITE_ONCE(T &var, V val) LIBURING_NOEXCEPT
{
    T value = static_cast<T>(val);

    __atomic_store(&var, &value, __ATOMIC_RELAXED);
}

template <typename T>
inline T io_uring_smp_load_acquire(const T *p) LIBURING_NOEXCEPT
{
    T value;

    __atomic_load(p, &value, __ATOMIC_ACQUIRE);
    return value;
}

template <typename T, typename V>
inline void io_uring_smp_store_release(T *p, V v) LIBURING_NOEXCEPT
{
    T value = static_cast<T>(v);

    __atomic_store(p, &value, __ATOMIC_RELEASE);
}

inline void io_uring_smp_mb() LIBURING_NOEXCEPT
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
}
#else
#include <stdatomic.h>

#define IO_URING_READ_ONCE(var) __atomic_load_n(&(var), __ATOMIC_RELAXED)
#define IO_URING_WRITE_ONCE(var, val) __atomic_store_n(&(var), (val), __ATOMIC_RELAXED)
#define io_uring_smp_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define io_uring_smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define io_uring_smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#endif
