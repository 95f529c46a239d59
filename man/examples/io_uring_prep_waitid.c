/* Waits for a child process beside everything else that the ring does. */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
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
    struct io_uring ring;
    siginfo_t info;
    pid_t child;
    int res;

    ok(io_uring_queue_init(8, &ring, 0), "io_uring_queue_init");
    child = fork();
    if (child < 0)
        err(1, "fork");
    if (child == 0)
        _exit(3);
    memset(&info, 0, sizeof(info));
    io_uring_prep_waitid(io_uring_get_sqe(&ring), P_PID, (id_t) child,
                         &info, WEXITED, 0);
    res = result(&ring);
    if (res == -EINVAL)
        return skip("needs Linux 6.7");
    ok(res, "waitid");
    if (info.si_pid != child || info.si_status != 3)
        errx(1, "process %d, status %d", (int) info.si_pid,
             info.si_status);
    io_uring_queue_exit(&ring);
    return 0;
}
