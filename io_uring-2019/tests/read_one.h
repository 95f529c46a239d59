/* One read that shows that a ring works, and waiting for a thread to enter a ring or to leave it. */
#ifndef TESTS_2019_READ_ONE_H
#define TESTS_2019_READ_ONE_H

#include "raw.h"

#define BLOCK 4096

static unsigned char buffer[64 * BLOCK] __attribute__((aligned(BLOCK)));

/* The number of the system call in which a thread sleeps, -1 if it sleeps in none, -2 if it runs. */
static inline int sleeps_in(pid_t thread)
{
    char path[64], text[64] = "";
    int fd, number = -2;

    snprintf(path, sizeof(path), "/proc/%d/syscall", thread);
    fd = open(path, O_RDONLY);
    if (fd < 0)
        skip("%s: %s", path, strerror(errno));
    if (read(fd, text, sizeof(text) - 1) > 0)
        sscanf(text, "%d", &number);
    close(fd);
    return number;
}

/* Waits until a thread waits in io_uring_enter. */
static inline void until_entered(pid_t thread)
{
    while (sleeps_in(thread) != 426)
        usleep(100);
}

/* Waits until a thread sleeps elsewhere. */
static inline void until_left(pid_t thread)
{
    int number;

    while ((number = sleeps_in(thread)) == 426 || number < 0)
        usleep(100);
}

/* One read, which shows that a ring works. */
static inline void read_one(struct raw *r, int fd)
{
    memset(buffer, 0, BLOCK);
    raw_request(r, 1, IORING_OP_READ, fd, buffer, BLOCK, 3 * BLOCK);
    CHECK_EQ(io_uring_enter(r->fd, 1, 1, IORING_ENTER_GETEVENTS), 1);
    CHECK_EQ(raw_wait(r).res, BLOCK);
    CHECK_PATTERN(buffer, BLOCK, 3 * BLOCK);
}

#endif
