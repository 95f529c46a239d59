/* Removes a file and the directory around it. */
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
    char dir[] = "/tmp/io_uring-XXXXXX", file[64];
    struct io_uring ring;
    int res;

    if (!mkdtemp(dir))
        err(1, "%s", dir);
    snprintf(file, sizeof(file), "%s/file", dir);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    io_uring_prep_unlink(io_uring_get_sqe(&ring), file, 0);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 5.11");
    ok(res, "unlink");
    /* AT_REMOVEDIR for directories, as unlinkat(2) wants it. */
    io_uring_prep_unlinkat(io_uring_get_sqe(&ring), AT_FDCWD, dir,
                           AT_REMOVEDIR);
    ok(result(&ring), "unlinkat");
    if (access(dir, F_OK) == 0)
        errx(1, "it is still there");
    io_uring_queue_exit(&ring);
    return 0;
}
