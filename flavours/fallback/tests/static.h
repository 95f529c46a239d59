/*
 * For the C tests as static programs: an archive cannot stand before libc's syscall() and close(). Where the tests make
 * io_uring's system calls themselves, to ask for features, these go to the library's functions, and so does the closing
 * of a ring that was made in this way. What is served does not depend on the kernel's version, so the tests see a new one.
 */
#ifndef FALLBACK_TESTS_STATIC_H
#define FALLBACK_TESTS_STATIC_H

#include <errno.h>
#include <liburing.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { SERVED_DESCRIPTORS = 1024 };
static bool served_rings[SERVED_DESCRIPTORS];

static inline int served_close(int fd)
{
    static struct io_uring_sqe none;
    struct io_uring ring;

    if (fd < 0 || fd >= SERVED_DESCRIPTORS || !served_rings[fd])
        return close(fd);
    served_rings[fd] = false;
    memset(&ring, 0, sizeof(ring));
    /* As a ring in the program's memory, of which nothing is unmapped. */
    ring.sq.sqes = &none;
    ring.int_flags = 4;
    ring.ring_fd = ring.enter_ring_fd = fd;
    io_uring_queue_exit(&ring);
    return 0;
}

static inline long served_syscall(long number, ...)
{
    long argument[6], result;
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        argument[i] = va_arg(list, long);
    va_end(list);
    if (number == __NR_io_uring_setup)
        result = io_uring_setup((unsigned) argument[0], (struct io_uring_params *) argument[1]);
    else if (number == __NR_io_uring_enter)
        result = io_uring_enter2((unsigned) argument[0], (unsigned) argument[1], (unsigned) argument[2],
                                 (unsigned) argument[3], (sigset_t *) argument[4], (size_t) argument[5]);
    else if (number == __NR_io_uring_register)
        result = io_uring_register((unsigned) argument[0], (unsigned) argument[1], (const void *) argument[2],
                                   (unsigned) argument[3]);
    else
        return syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
    if (number == __NR_io_uring_setup && result >= 0 && result < SERVED_DESCRIPTORS)
        served_rings[result] = true;
    if (result >= 0)
        return result;
    errno = (int) -result;
    return -1;
}
static inline int served_uname(struct utsname *name)
{
    int result = uname(name);

    strcpy(name->release, "6.18");
    return result;
}

#define syscall served_syscall
#define uname served_uname
#define close served_close

#endif
