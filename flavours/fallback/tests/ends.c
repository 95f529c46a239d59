/*
 * What a request completes with, and when: its last completion comes last, its
 * timeout ends with it, and a part that was transferred is told of.
 */
#include <linux/loop.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "file.h"

enum { REQUEST = 1, TIMEOUT, OTHER };

static struct __kernel_timespec never = { .tv_sec = 100000 };

static struct io_uring ring;
static int pair[2];

/* A request that waits for a socket, with a timeout that does not come. */
static void poll_with_timeout(void)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_poll_add(sqe, pair[0], POLLIN);
    io_uring_sqe_set_data64(sqe, REQUEST);
    io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK);
    sqe = next_sqe(&ring);
    io_uring_prep_link_timeout(sqe, &never, 0);
    io_uring_sqe_set_data64(sqe, TIMEOUT);
    SUBMIT(&ring, 2);
}

static void ends_with_timeout(int res)
{
    struct done done = reap(&ring);

    CHECK_EQ(done.data, REQUEST);
    CHECK_EQ(done.res, res);
    done = reap(&ring);
    CHECK_EQ(done.data, TIMEOUT);
    CHECK_EQ(done.res, -ECANCELED);
}

/* The library gets no descriptor to wait with: a worker waits. */
static void refused_wait(void)
{
    struct rlimit limit;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    CHECK_SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = (rlim_t) pair[1] + 1;
    CHECK_SYS(setrlimit(RLIMIT_NOFILE, &limit));
    poll_with_timeout();
    CHECK_EQ(write(pair[1], "x", 1), 1);
    ends_with_timeout(POLLIN);
    io_uring_queue_exit(&ring);
}

static void updated_poll(void)
{
    struct io_uring_sqe *sqe;
    struct done done;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    poll_with_timeout();
    sqe = next_sqe(&ring);
    io_uring_prep_poll_update(sqe, REQUEST, 0, POLLOUT, IORING_POLL_UPDATE_EVENTS);
    io_uring_sqe_set_data64(sqe, OTHER);
    SUBMIT(&ring, 1);
    done = reap(&ring);
    CHECK_EQ(done.data, OTHER);
    CHECK_EQ(done.res, 0);
    ends_with_timeout(POLLOUT);
    io_uring_queue_exit(&ring);
}

static void part_of_all(void)
{
    struct io_uring_sqe *sqe;
    char bytes[8];
    int left = 1;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, pair[0], bytes, sizeof(bytes), MSG_WAITALL);
    io_uring_sqe_set_data64(sqe, REQUEST);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    while (left != 0) {
        CHECK_SYS(ioctl(pair[0], FIONREAD, &left));
        usleep(100);
    }
    sqe = next_sqe(&ring);
    io_uring_prep_cancel64(sqe, REQUEST, 0);
    io_uring_sqe_set_data64(sqe, OTHER);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct done done = reap(&ring);

        CHECK_EQ(done.res, done.data == REQUEST ? 3 : 0);
    }
    CHECK_MEM(bytes, "abc", 3);
    io_uring_queue_exit(&ring);
}

/* While the completion of another request is kept back until its owner asks for it. */
static void last_comes_last(void)
{
    enum { GROUP = 1 };
    struct io_uring_buf_ring *buffers;
    struct io_uring_sqe *sqe;
    struct pollfd told = { .events = POLLIN };
    struct done done;
    bool more = false;
    int error, other[2];
    char buffer, byte;

    need_kernel(6, 1, "DEFER_TASKRUN");
    ring_open(&ring, 8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    make_socketpair(pair, SOCK_STREAM);
    make_socketpair(other, SOCK_STREAM);
    told.fd = CHECK_SYS(eventfd(0, 0));
    CHECK_EQ(io_uring_register_eventfd(&ring, told.fd), 0);
    buffers = io_uring_setup_buf_ring(&ring, 1, GROUP, 0, &error);
    CHECK(buffers != NULL);
    io_uring_buf_ring_add(buffers, &buffer, 1, 0, 0, 0);
    io_uring_buf_ring_advance(buffers, 1);

    sqe = next_sqe(&ring);
    io_uring_prep_recv(sqe, other[0], &byte, 1, 0);
    io_uring_sqe_set_data64(sqe, OTHER);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(other[1], "x", 1), 1);
    CHECK_EQ(poll(&told, 1, -1), 1);

    CHECK_EQ(write(pair[1], "ab", 2), 2);
    sqe = next_sqe(&ring);
    io_uring_prep_recv_multishot(sqe, pair[0], NULL, 0, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    sqe->buf_group = GROUP;
    io_uring_sqe_set_data64(sqe, REQUEST);
    SUBMIT(&ring, 1);
    for (unsigned i = 0; i < 3; i++) {
        done = reap(&ring);
        if (done.data == OTHER) {
            CHECK_EQ(done.res, 1);
        } else if (!more) {
            CHECK_EQ(done.res, 1);
            CHECK(done.flags & IORING_CQE_F_MORE);
            more = true;
        } else {
            CHECK_EQ(done.res, -ENOBUFS);
        }
    }
    CHECK(more);
    io_uring_free_buf_ring(&ring, buffers, 1, GROUP);
    io_uring_queue_exit(&ring);
}

/* The eventfd that is told of completions is closed, and its number stands for another file. */
static void number_of_eventfd(void)
{
    struct io_uring_sqe *sqe;
    int event, number;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_DGRAM);
    event = CHECK_SYS(eventfd(0, 0));
    CHECK_EQ(io_uring_register_eventfd(&ring, event), 0);
    number = CHECK_SYS(dup2(pair[0], event));
    sqe = next_sqe(&ring);
    io_uring_prep_poll_multishot(sqe, number, POLLIN);
    io_uring_sqe_set_data64(sqe, REQUEST);
    SUBMIT(&ring, 1);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK(reap(&ring).flags & IORING_CQE_F_MORE);
    io_uring_queue_exit(&ring);
}

/* Sockets that no connection will come to, whatever they wait for. */
static void accept_without_listening(void)
{
    int tcp, datagrams;

    ring_open(&ring, 8, 0);
    make_socketpair(pair, SOCK_STREAM);
    tcp = CHECK_SYS(socket(AF_INET, SOCK_STREAM, 0));
    datagrams = CHECK_SYS(socket(AF_INET, SOCK_DGRAM, 0));
    for (unsigned i = 0; i < 2; i++) {
        io_uring_prep_accept(next_sqe(&ring), pair[0], NULL, NULL, 0);
        CHECK_EQ(run_res(&ring), -EINVAL);
        io_uring_prep_accept(next_sqe(&ring), tcp, NULL, NULL, 0);
        CHECK_EQ(run_res(&ring), -EINVAL);
        io_uring_prep_accept(next_sqe(&ring), datagrams, NULL, NULL, 0);
        CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
        io_uring_prep_multishot_accept(next_sqe(&ring), pair[0], NULL, NULL, 0);
        CHECK_EQ(run_res(&ring), -EINVAL);
        /* And again where something else is there. */
        CHECK_EQ(write(pair[1], "x", 1), 1);
    }
    io_uring_queue_exit(&ring);
}

/* A request that its worker cannot leave ends after its ring, whose memory the program has taken back. */
static void after_its_ring(void)
{
    enum { SIZE = 1 << 21, LEFT = 10 };
    struct io_uring_params params = { 0 };
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "listener" };
    int listener = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    int first = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    int second = CHECK_SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ret;

    CHECK(memory != MAP_FAILED);
    ret = io_uring_queue_init_mem(8, &ring, &params, memory, SIZE);
    if (ret == -EINVAL)
        skip("the kernel takes no memory for a ring");
    CHECK_GE(ret, 0);
    CHECK_SYS(bind(listener, (struct sockaddr *) &name, sizeof(name)));
    CHECK_SYS(listen(listener, 0));
    CHECK_SYS(connect(first, (struct sockaddr *) &name, sizeof(name)));
    /* The queue is full: this one waits. */
    io_uring_prep_connect(next_sqe(&ring), second, (struct sockaddr *) &name, sizeof(name));
    SUBMIT(&ring, 1);
    usleep(50000);
    io_uring_queue_exit(&ring);
    CHECK_SYS(munmap(memory, SIZE));
    CHECK_SYS(fcntl(listener, F_SETFL, O_NONBLOCK));
    for (unsigned i = 0; i < LEFT; i++) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            CHECK_SYS(close(fd));
        usleep(20000);
    }
}

/* Of a device a part is in memory; the rest is read as well. */
static void part_of_device(void)
{
    enum { SIZE = 8 << 20, AT = 3 << 20, WANTED = 1 << 16 };
    static char bytes[SIZE], got[WANTED];
    /* It goes with its last descriptor. */
    struct loop_config config = { .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_READ_ONLY };
    char name[32];
    int control = open("/dev/loop-control", O_RDWR), file, device, number;

    if (control < 0 || (number = ioctl(control, LOOP_CTL_GET_FREE)) < 0)
        skip("no loop device can be had here");
    for (unsigned i = 0; i < SIZE; i++)
        bytes[i] = (char) (i % 251);
    file = make_file("device", 0, 0);
    CHECK_EQ(write(file, bytes, SIZE), SIZE);
    CHECK_SYS(fsync(file));
    snprintf(name, sizeof(name), "/dev/loop%d", number);
    device = open(name, O_RDONLY);
    config.fd = (__u32) file;
    if (device < 0 || ioctl(device, LOOP_CONFIGURE, &config) < 0)
        skip("no loop device can be set up here");
    CHECK_EQ(posix_fadvise(device, 0, 0, POSIX_FADV_RANDOM), 0);
    CHECK_EQ(posix_fadvise(device, 0, 0, POSIX_FADV_DONTNEED), 0);
    CHECK_EQ(pread(device, got, 4096, AT), 4096);
    ring_open(&ring, 8, 0);
    io_uring_prep_read(next_sqe(&ring), device, got, sizeof(got), AT);
    CHECK_EQ(run_res(&ring), (int) sizeof(got));
    CHECK_MEM(got, bytes + AT, sizeof(got));
    io_uring_queue_exit(&ring);
    close(device);
    close(file);
}

/* A socket whose connection was refused may be connected again. */
static void refused_again(void)
{
    struct sockaddr_in address;
    struct io_uring ring;

    close(make_listener(&address));
    ring_open(&ring, 8, 0);
    for (int more = 0; more <= SOCK_NONBLOCK; more += SOCK_NONBLOCK) {
        int fd = CHECK_SYS(socket(AF_INET, SOCK_STREAM | more, 0));

        for (unsigned i = 0; i < 4; i++) {
            io_uring_prep_connect(next_sqe(&ring), fd, (struct sockaddr *) &address, sizeof(address));
            CHECK_EQ(run_res(&ring), -ECONNREFUSED);
        }
        close(fd);
    }
    io_uring_queue_exit(&ring);
}

/* What names its flags by an address that is none. */
static void wrong_address(void)
{
    struct io_uring ring;

    ring_open(&ring, 8, 0);
    io_uring_prep_openat2(next_sqe(&ring), AT_FDCWD, ".", (struct open_how *) 0x1234);
    CHECK_EQ(run_res(&ring), -EFAULT);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(refused_again),
    CASE(wrong_address),
    CASE(refused_wait),
    CASE(updated_poll),
    CASE(part_of_all),
    CASE(last_comes_last),
    CASE(number_of_eventfd),
    CASE(part_of_device),
    CASE(accept_without_listening),
    CASE(after_its_ring),
};

TEST_MAIN(cases)
