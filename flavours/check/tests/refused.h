/* What tests of refusals share. */
#ifndef REFUSED_H
#define REFUSED_H

#include "misuse.h"

static inline int scratch(void)
{
    char name[] = "refusedXXXXXX";
    int fd = mkstemp(name);

    MUST(fd >= 0);
    unlink(name);
    return fd;
}

static inline int socket_of_a_pair(void)
{
    int sockets[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    return sockets[0];
}

/* Submits what was taken, and returns the result of the request with this user_data. */
static inline int result_of(struct io_uring *ring, unsigned long long data)
{
    struct io_uring_cqe *cqe;
    int count = io_uring_submit(ring), res = 0;

    MUST(count > 0);
    while (count--) {
        MUST(io_uring_wait_cqe(ring, &cqe) == 0);
        if (cqe->user_data == data)
            res = cqe->res;
        io_uring_cqe_seen(ring, cqe);
    }
    return res;
}

#endif
