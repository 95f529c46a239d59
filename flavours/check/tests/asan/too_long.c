/* A request that is longer than its buffer, and one that is not. */
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>

static int read_into(struct io_uring *ring, int fd, char *buffer, unsigned size)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    struct io_uring_cqe *cqe;
    int res;

    io_uring_prep_read(sqe, fd, buffer, size, 0);
    io_uring_sqe_set_data64(sqe, size);
    if (io_uring_submit(ring) != 1 || io_uring_wait_cqe(ring, &cqe) != 0)
        return -1;
    res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return res;
}

int main(void)
{
    struct io_uring ring;
    char *buffer = malloc(100);
    int fd = open("/dev/null", O_RDONLY);

    if (io_uring_queue_init(4, &ring, 0) < 0)
        return 2;
    /* /dev/null writes nothing there */
    if (read_into(&ring, fd, buffer, 100) != 0 || read_into(&ring, fd, buffer, 110) != 0)
        return 1;
    io_uring_queue_exit(&ring);
    free(buffer);
    return 0;
}
