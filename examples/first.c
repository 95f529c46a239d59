/* Prints the beginning of a file: one request through a ring. */
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;
    char buffer[4096];
    int fd = open(argc > 1 ? argv[1] : "/etc/os-release", O_RDONLY);
    int ret = io_uring_queue_init(8, &ring, 0);

    if (fd < 0 || ret < 0)
        return fprintf(stderr, "%s\n", ret < 0 ? strerror(-ret) : "cannot open the file"), 1;

    io_uring_prep_read(io_uring_get_sqe(&ring), fd, buffer, sizeof(buffer), 0);
    ret = io_uring_submit_and_wait(&ring, 1);
    if (ret == 1)
        ret = io_uring_wait_cqe(&ring, &cqe);
    if (ret == 0) {
        ret = cqe->res; /* bytes read, or an error as -errno */
        io_uring_cqe_seen(&ring, cqe);
    }
    if (ret > 0)
        fwrite(buffer, 1, ret, stdout);
    else if (ret < 0)
        fprintf(stderr, "%s\n", strerror(-ret));
    io_uring_queue_exit(&ring);
    return ret < 0;
}
