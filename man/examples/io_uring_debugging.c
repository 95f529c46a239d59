/* Shows what the kernel tells of a ring, with a request that waits. */
#include <err.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

static int skip(const char *reason)
{
    printf("SKIP: %s\n", reason);
    return 77;
}

int main(void)
{
    char path[64], line[256], byte;
    struct io_uring ring;
    int fds[2], found = 0;
    FILE *info;

    if (pipe(fds) < 0)
        err(1, "pipe");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_poll_add(io_uring_get_sqe(&ring), fds[0], POLLIN);
    ok(io_uring_submit(&ring), "io_uring_submit");
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ring.ring_fd);
    info = fopen(path, "r");
    if (!info)
        err(1, "%s", path);
    while (fgets(line, sizeof(line), info)) {
        fputs(line, stdout);
        found += strncmp(line, "SqTail:", 7) == 0;
    }
    fclose(info);
    if (write(fds[1], "x", 1) != 1 || read(fds[0], &byte, 1) != 1)
        err(1, "write");
    io_uring_queue_exit(&ring);
    if (!found)
        return skip("needs a kernel that shows rings in fdinfo");
    return 0;
}
