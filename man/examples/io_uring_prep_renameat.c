/* Renames a file, and refuses to replace another one. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Submits, and takes the result of the one request in flight. */
static int result(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    int res;

    ok(io_uring_submit(ring), "io_uring_submit");
    ok(io_uring_wait_cqe(ring, &cqe), "io_uring_wait_cqe");
    res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return res;
}

int main(void)
{
    char from[] = "/tmp/io_uring-XXXXXX", to[64];
    struct io_uring ring;
    int res;

    close(mkstemp(from));
    snprintf(to, sizeof(to), "%s-new", from);
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_rename(io_uring_get_sqe(&ring), from, to);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 5.11");
    ok(res, "rename");

    close(open(from, O_CREAT | O_WRONLY, 0600));
    io_uring_prep_renameat(io_uring_get_sqe(&ring), AT_FDCWD, from,
                           AT_FDCWD, to, RENAME_NOREPLACE);
    res = result(&ring);
    unlink(from);
    unlink(to);
    if (res != -EEXIST)
        errx(1, "it gave %d", res);
    io_uring_queue_exit(&ring);
    return 0;
}
