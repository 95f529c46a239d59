/* Waiting for a child by request. */
#include "ring.h"

static pid_t start_child(int status)
{
    pid_t child = CHECK_SYS(fork());

    if (child == 0)
        _exit(status);
    return child;
}

static void exited_child(void)
{
    struct io_uring ring;
    siginfo_t info;
    pid_t child;

    need_op(IORING_OP_WAITID, "waitid");
    ring_open(&ring, 4, 0);
    memset(&info, 0, sizeof(info));
    child = start_child(42);
    io_uring_prep_waitid(next_sqe(&ring), P_PID, child, &info, WEXITED, 0);
    CHECK_EQ(run_res(&ring), 0);
    CHECK_EQ(info.si_signo, SIGCHLD);
    CHECK_EQ(info.si_pid, child);
    CHECK_EQ(info.si_status, 42);
    CHECK_EQ(info.si_code, CLD_EXITED);
    io_uring_prep_waitid(next_sqe(&ring), P_PID, child, &info, WEXITED, 0);
    CHECK_EQ(run_res(&ring), -ECHILD);
    io_uring_queue_exit(&ring);
}

/* Submitted before the child ends, and with another way to select children. */
static void running_child(void)
{
    struct io_uring ring;
    siginfo_t info;
    int fds[2];
    pid_t child;

    need_op(IORING_OP_WAITID, "waitid");
    CHECK_SYS(pipe(fds));
    ring_open(&ring, 4, 0);
    memset(&info, 0, sizeof(info));
    child = CHECK_SYS(fork());
    if (child == 0) {
        char byte;

        close(fds[1]);
        _exit(read(fds[0], &byte, 1) == 0 ? 7 : 8);
    }
    io_uring_prep_waitid(next_sqe(&ring), P_ALL, 0, &info, WEXITED, 0);
    SUBMIT(&ring, 1);
    CHECK_NO_CQE(&ring);
    close(fds[1]);
    CHECK_EQ(reap(&ring).res, 0);
    CHECK_EQ(info.si_pid, child);
    CHECK_EQ(info.si_status, 7);
    io_uring_queue_exit(&ring);
    close(fds[0]);
}

static void bad_options(void)
{
    struct io_uring ring;
    siginfo_t info;

    need_op(IORING_OP_WAITID, "waitid");
    ring_open(&ring, 4, 0);
    io_uring_prep_waitid(next_sqe(&ring), P_ALL, 0, &info, 0, 0);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_prep_waitid(next_sqe(&ring), P_ALL, 0, &info, WEXITED, 1);
    CHECK_EQ(run_res(&ring), -EINVAL);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(exited_child),
    CASE(running_child),
    CASE(bad_options),
};

TEST_MAIN(cases)
