/* A request that runs with the credentials that were registered, whatever
 * the program's are by then.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
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
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    int id;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    id = ok(io_uring_register_personality(&ring),
            "io_uring_register_personality");

    /* Here a server would give up its privileges. */
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_openat(sqe, AT_FDCWD, "/dev/null", O_RDONLY, 0);
    sqe->personality = (__u16) id;
    close(ok(result(&ring), "open"));

    ok(io_uring_unregister_personality(&ring, id),
       "io_uring_unregister_personality");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_openat(sqe, AT_FDCWD, "/dev/null", O_RDONLY, 0);
    sqe->personality = (__u16) id;
    if (result(&ring) != -EINVAL)
        errx(1, "the credentials are still there");
    io_uring_queue_exit(&ring);
    return 0;
}
