/*
 * Print files through liburing-ffi, as a program in another language would: every call is a symbol of the library, none
 * is inline code of a header.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <liburing-ffi.h>

static int complete(struct io_uring *ring)
{
    struct io_uring_cqe *cqe;
    int result = io_uring_submit_and_wait(ring, 1);

    if (result < 0)
        return result;
    result = io_uring_wait_cqe(ring, &cqe);
    if (result < 0)
        return result;
    result = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return result;
}

static int cat(struct io_uring *ring, const char *path)
{
    char buffer[65536];
    __u64 offset = 0;
    int result;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    for (;;) {
        io_uring_prep_read(io_uring_get_sqe(ring), fd, buffer, sizeof(buffer), offset);
        result = complete(ring);
        if (result <= 0)
            break;
        if (fwrite(buffer, 1, (size_t) result, stdout) != (size_t) result) {
            result = -EIO;
            break;
        }
        offset += (__u64) result;
    }
    close(fd);
    return result;
}

int main(int argc, char **argv)
{
    struct io_uring ring;
    int i, status = 0;
    int result = io_uring_queue_init(4, &ring, 0);

    if (result < 0) {
        fprintf(stderr, "cat: no ring: %s\n", strerror(-result));
        return 1;
    }
    for (i = 1; i < argc; i++) {
        result = cat(&ring, argv[i]);
        if (result < 0) {
            fprintf(stderr, "cat: %s: %s\n", argv[i], strerror(-result));
            status = 1;
        }
    }
    io_uring_queue_exit(&ring);
    return fflush(stdout) == 0 ? status : 1;
}
