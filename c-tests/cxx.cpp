// The header in C++, from C++11 on: a typical wrapper class, and most of the inline helpers.
#include "file.h"

#include <memory>
#include <string>
#include <vector>

#include <poll.h>

namespace {

class Ring {
public:
    explicit Ring(unsigned entries, unsigned flags = 0) { ring_open(&ring_, entries, flags); }
    ~Ring() { io_uring_queue_exit(&ring_); }
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;

    io_uring *get() { return &ring_; }
    io_uring_sqe *sqe() { return next_sqe(&ring_); }
    int run() { return run_res(&ring_); }

private:
    io_uring ring_;
};

struct Request {
    std::string text;
    int result;
};

void requests_as_objects()
{
    Ring ring(8);
    std::vector<std::unique_ptr<Request>> requests;

    for (int i = 0; i < 8; i++) {
        requests.emplace_back(new Request{"request " + std::to_string(i), -1});
        io_uring_sqe *sqe = ring.sqe();
        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data(sqe, requests.back().get());
    }
    CHECK_EQ(io_uring_submit_and_wait(ring.get(), 8), 8);

    unsigned head, seen = 0;
    io_uring_cqe *cqe;
    io_uring_for_each_cqe(ring.get(), head, cqe) {
        auto *request = static_cast<Request *>(io_uring_cqe_get_data(cqe));
        CHECK(request == requests[seen].get());
        request->result = cqe->res;
        seen++;
    }
    CHECK_EQ(seen, 8);
    io_uring_cq_advance(ring.get(), seen);
    for (const auto &request : requests)
        CHECK_EQ(request->result, 0);
}

void files()
{
    Ring ring(8);
    std::vector<char> out(5000), in(5000);
    fill_pattern(out.data(), out.size(), 1);

    io_uring_prep_openat(ring.sqe(), AT_FDCWD, "file", O_RDWR | O_CREAT, 0600);
    int fd = ring.run();
    CHECK_GE(fd, 0);
    io_uring_prep_write(ring.sqe(), fd, out.data(), static_cast<unsigned>(out.size()), 0);
    CHECK_EQ(ring.run(), out.size());
    iovec vec = {in.data(), in.size()};
    io_uring_prep_readv2(ring.sqe(), fd, &vec, 1, 0, 0);
    CHECK_EQ(ring.run(), in.size());
    CHECK(in == out);

    struct statx status;
    io_uring_prep_statx(ring.sqe(), fd, "", AT_EMPTY_PATH, STATX_SIZE, &status);
    CHECK_EQ(ring.run(), 0);
    CHECK_EQ(status.stx_size, out.size());
    open_how how{};
    how.flags = O_RDONLY;
    io_uring_prep_openat2(ring.sqe(), AT_FDCWD, "file", &how);
    int again = ring.run();
    CHECK_GE(again, 0);
    io_uring_prep_close(ring.sqe(), again);
    CHECK_EQ(ring.run(), 0);
    io_uring_prep_fsync(ring.sqe(), fd, IORING_FSYNC_DATASYNC);
    CHECK_EQ(ring.run(), 0);
    io_uring_prep_fallocate(ring.sqe(), fd, 0, 0, 9000);
    CHECK_EQ(ring.run(), 0);
    io_uring_prep_unlink(ring.sqe(), "file", 0);
    CHECK_EQ(ring.run(), 0);
    close(fd);
}

void sockets()
{
    Ring ring(8);
    sockaddr_in address;
    int listener = make_listener(&address);

    io_uring_prep_multishot_accept(ring.sqe(), listener, nullptr, nullptr, SOCK_CLOEXEC);
    SUBMIT(ring.get(), 1);
    int client = connect_to(&address);
    done accepted = reap(ring.get());
    CHECK_GE(accepted.res, 0);
    CHECK(accepted.flags & IORING_CQE_F_MORE);

    char buffer[8];
    io_uring_prep_poll_add(ring.sqe(), accepted.res, POLLIN);
    SUBMIT(ring.get(), 1);
    CHECK_EQ(write(client, "hello", 5), 5);
    CHECK_EQ(reap(ring.get()).res, POLLIN);
    io_uring_prep_recv(ring.sqe(), accepted.res, buffer, sizeof(buffer), 0);
    CHECK_EQ(ring.run(), 5);
    io_uring_prep_send(ring.sqe(), accepted.res, buffer, 5, 0);
    CHECK_EQ(ring.run(), 5);
    CHECK_EQ(read(client, buffer, sizeof(buffer)), 5);
    close(client);
    close(accepted.res);
    close(listener);
}

void buffers()
{
    Ring ring(8);
    int error = 0;
    char bytes[2][16];
    io_uring_buf_ring *pool = io_uring_setup_buf_ring(ring.get(), 2, 1, 0, &error);
    CHECK(pool != nullptr);
    for (unsigned short i = 0; i < 2; i++)
        io_uring_buf_ring_add(pool, bytes[i], sizeof(bytes[i]), i, io_uring_buf_ring_mask(2), i);
    io_uring_buf_ring_advance(pool, 2);

    int fd = make_file("file", 16, 3);
    io_uring_sqe *sqe = ring.sqe();
    io_uring_prep_read(sqe, fd, nullptr, 16, 0);
    io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
    io_uring_sqe_set_buf_group(sqe, 1);
    CHECK_EQ(ring.run(), 16);
    CHECK_PATTERN(bytes[0], 16, 3);
    CHECK_EQ(io_uring_free_buf_ring(ring.get(), pool, 2, 1), 0);
    close(fd);
}

void waits_and_counters()
{
    Ring ring(4, IORING_SETUP_CLAMP);
    io_uring_cqe *cqe = nullptr;
    __kernel_timespec ts = millis(1);

    CHECK_EQ(io_uring_wait_cqe_timeout(ring.get(), &cqe, &ts), -ETIME);
    CHECK_EQ(io_uring_peek_cqe(ring.get(), &cqe), -EAGAIN);
    CHECK_EQ(io_uring_sq_space_left(ring.get()), 4);
    CHECK_EQ(io_uring_cq_ready(ring.get()), 0);
    CHECK(!io_uring_cq_has_overflow(ring.get()));
    CHECK(io_uring_cq_eventfd_enabled(ring.get()));
    CHECK_EQ(io_uring_cqe_shift(ring.get()), 0);
    io_uring_prep_timeout(ring.sqe(), &ts, 0, 0);
    CHECK_EQ(ring.run(), -ETIME);

    io_uring_probe *probe = io_uring_get_probe();
    CHECK(probe != nullptr);
    CHECK(io_uring_opcode_supported(probe, IORING_OP_NOP));
    io_uring_free_probe(probe);
    CHECK(!io_uring_check_version(IO_URING_VERSION_MAJOR, IO_URING_VERSION_MINOR));
#if IO_URING_CHECK_VERSION(2, 0)
#error "the version at hand is at least 2.0"
#endif
}

// Properties that C++ programs rely on when they pass these calls to templates.
#if __cplusplus >= 201703L
static_assert(noexcept(io_uring_submit(nullptr)), "a library call throws");
static_assert(noexcept(io_uring_get_sqe(nullptr)), "an inline helper throws");
#endif

const test_case cases[] = {
    CASE(requests_as_objects),
    CASE(files),
    CASE(sockets),
    CASE(buffers),
    CASE(waits_and_counters),
};

} // namespace

TEST_MAIN(cases)
