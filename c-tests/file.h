/* Files and socket pairs for the tests. */
#ifndef C_TESTS_FILE_H
#define C_TESTS_FILE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "ring.h"

/* Fills a buffer with bytes that depend on position and seed. */
static inline void fill_pattern(void *buffer, size_t size, unsigned seed)
{
    unsigned char *bytes = (unsigned char *) buffer;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char) ((i * 131 + seed * 17 + (i >> 8)) & 0xff);
}

#define CHECK_PATTERN(buffer, size, seed)                               \
    do {                                                                \
        unsigned char *wanted_bytes = (unsigned char *) malloc(size);   \
        fill_pattern(wanted_bytes, size, seed);                         \
        CHECK_MEM(buffer, wanted_bytes, size);                          \
        free(wanted_bytes);                                             \
    } while (0)

/* A new file, open for reading and writing, with `size` bytes of pattern. */
static inline int make_file(const char *name, size_t size, unsigned seed)
{
    int fd = CHECK_SYS(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));

    if (size) {
        void *bytes = malloc(size);

        fill_pattern(bytes, size, seed);
        CHECK_EQ(write(fd, bytes, size), size);
        free(bytes);
    }
    return fd;
}

static inline void make_socketpair(int fds[2], int type)
{
    CHECK_SYS(socketpair(AF_UNIX, type, 0, fds));
}

/* A TCP socket that listens on a free port of the loopback address. */
static inline int make_listener(struct sockaddr_in *address)
{
    int fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    socklen_t len = sizeof(*address);

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_SYS(bind(fd, (struct sockaddr *) address, sizeof(*address)));
    CHECK_SYS(listen(fd, 16));
    CHECK_SYS(getsockname(fd, (struct sockaddr *) address, &len));
    return fd;
}

static inline int connect_to(const struct sockaddr_in *address)
{
    int fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));

    CHECK_SYS(connect(fd, (const struct sockaddr *) address, sizeof(*address)));
    return fd;
}

/* Two ends of a TCP connection over the loopback address. */
static inline void make_tcp_pair(int fds[2])
{
    struct sockaddr_in address;
    int listener = make_listener(&address);

    fds[0] = connect_to(&address);
    fds[1] = CHECK_SYS(accept(listener, NULL, NULL));
    close(listener);
}

#endif
