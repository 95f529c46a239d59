/* A pointer travels with the request and leads back to the object that
 * waits for it.
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

struct task {
    const char *name;
    int result;
};

int main(void)
{
    struct task task = { "a read of /dev/zero", 0 };
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    struct io_uring_cqe *cqe;
    char buffer[32];
    int fd = open("/dev/zero", O_RDONLY);

    if (fd < 0)
        err(1, "/dev/zero");
    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, fd, buffer, sizeof(buffer), 0);
    io_uring_sqe_set_data(sqe, &task);
    ok(io_uring_submit(&ring), "io_uring_submit");

    ok(io_uring_wait_cqe(&ring, &cqe), "io_uring_wait_cqe");
    struct task *done = io_uring_cqe_get_data(cqe);

    done->result = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    printf("%s: %d\n", done->name, done->result);
    if (done != &task || task.result != sizeof(buffer))
        errx(1, "not the task that was submitted");
    io_uring_queue_exit(&ring);
    return 0;
}
