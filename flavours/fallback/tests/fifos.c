/* Opening a FIFO: the thread that submits does not wait for the other end. */
#include <sys/stat.h>

#include "file.h"

enum { WRITER = 1, READER };

static struct io_uring ring;

static void submit_open(int flags, __u64 data, unsigned how)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_openat(sqe, AT_FDCWD, "fifo", flags, 0600);
    io_uring_sqe_set_data64(sqe, data);
    io_uring_sqe_set_flags(sqe, how);
    SUBMIT(&ring, 1);
}

static int opened(int flags, unsigned how)
{
    int fd;

    submit_open(flags, 0, how);
    fd = CHECK_SYS(reap(&ring).res);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    return fd;
}

static void begin(void)
{
    CHECK_SYS(mkfifo("fifo", 0600));
    ring_open(&ring, 8, 0);
}

static void both_ends(void)
{
    int reader, writer;
    char got;

    begin();
    submit_open(O_WRONLY, 0, 0);
    CHECK_EQ(reap(&ring).res, -ENXIO);
    reader = opened(O_RDONLY, 0);
    writer = opened(O_WRONLY, 0);
    CHECK_EQ(write(writer, "x", 1), 1);
    CHECK_EQ(read(reader, &got, 1), 1);
    io_uring_queue_exit(&ring);
}

/* Those that the kernel does not try first. */
static void waits_elsewhere(void)
{
    static const struct {
        int flags;
        unsigned how;
    } kinds[] = { { O_WRONLY, IOSQE_ASYNC }, { O_WRONLY | O_CREAT, 0 }, { O_WRONLY | O_TRUNC, 0 } };

    begin();
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        struct done dones[2];
        int writer, reader;

        submit_open(kinds[i].flags, WRITER, kinds[i].how);
        CHECK_NO_CQE(&ring);
        submit_open(O_RDONLY, READER, 0);
        reap_all(&ring, dones, 2);
        writer = CHECK_SYS(find_done(dones, 2, WRITER).res);
        reader = CHECK_SYS(find_done(dones, 2, READER).res);
        CHECK_SYS(close(writer));
        CHECK_SYS(close(reader));
    }
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(both_ends),
    CASE(waits_elsewhere),
};

TEST_MAIN(cases)
