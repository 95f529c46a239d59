/* A copy that does not expect short transfers, nor errors that pass. It shows what faults on demand find. */
#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

static char block[65536];

static int transfer(struct io_uring *ring, int fd, unsigned size, unsigned long long at, int writes)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    struct io_uring_cqe *cqe;
    int res;

    if (!sqe)
        return -1;
    if (writes)
        io_uring_prep_write(sqe, fd, block, size, at);
    else
        io_uring_prep_read(sqe, fd, block, size, at);
    io_uring_submit(ring);
    if (io_uring_wait_cqe(ring, &cqe) != 0)
        return -1;
    res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return res;
}

int main(int argc, char **argv)
{
    struct io_uring ring;
    unsigned long long at = 0;
    int from, to, got;

    if (argc != 3 || io_uring_queue_init(4, &ring, 0) < 0)
        return 2;
    from = open(argv[1], O_RDONLY);
    to = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while ((got = transfer(&ring, from, sizeof(block), at, 0)) > 0) {
        transfer(&ring, to, (unsigned) got, at, 1);
        at += sizeof(block);
    }
    io_uring_queue_exit(&ring);
    return 0;
}
