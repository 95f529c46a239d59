/* Refuses to open sockets on a ring: the filter of this opcode returns 0
 * for every request.
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/filter.h>

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
    struct sock_filter program[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    struct io_uring ring;
    struct io_uring_bpf bpf;
    int ret;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    memset(&bpf, 0, sizeof(bpf));
    bpf.cmd_type = IO_URING_BPF_CMD_FILTER;
    bpf.filter.opcode = IORING_OP_SOCKET;
    bpf.filter.filter_len = 1;
    bpf.filter.filter_ptr = (uintptr_t) program;
    ret = io_uring_register_bpf_filter(&ring, &bpf);
    if (ret == -EINVAL)
        return skip("needs Linux 7.0");
    ok(ret, "io_uring_register_bpf_filter");

    io_uring_prep_socket(io_uring_get_sqe(&ring), AF_UNIX, SOCK_STREAM, 0,
                         0);
    if (result(&ring) != -EACCES)
        errx(1, "the request was not refused");
    io_uring_queue_exit(&ring);
    return 0;
}
