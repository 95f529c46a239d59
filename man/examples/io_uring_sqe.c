/* Looks at what a prep function wrote. */
#include <err.h>
#include <liburing.h>
#include <stdint.h>
#include <string.h>

static int ok(int ret, const char *what)
{
    if (ret < 0)
        errx(1, "%s: %s", what, strerror(-ret));
    return ret;
}

int main(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;
    char buffer[100];

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    sqe = io_uring_get_sqe(&ring);
    io_uring_prep_read(sqe, 0, buffer, sizeof(buffer), 4096);
    io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
    if (sqe->opcode != IORING_OP_READ || sqe->fd != 0 ||
        sqe->addr != (uintptr_t) buffer || sqe->len != 100 ||
        sqe->off != 4096 || sqe->flags != IOSQE_ASYNC || sqe->ioprio != 0)
        errx(1, "not what was asked for");
    /* Not submitted: the program ends instead. */
    io_uring_queue_exit(&ring);
    return 0;
}
