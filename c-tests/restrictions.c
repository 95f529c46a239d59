/* Rings that start disabled, and restrictions on what they may do. */
#include "file.h"

static int nop_with_flags(struct io_uring *ring, unsigned flags)
{
    struct io_uring_sqe *sqe = next_sqe(ring);

    io_uring_prep_nop(sqe);
    io_uring_sqe_set_flags(sqe, flags);
    return run_res(ring);
}

static void starts_disabled(void)
{
    struct io_uring ring;

    ring_open(&ring, 4, IORING_SETUP_R_DISABLED);
    io_uring_prep_nop(next_sqe(&ring));
    CHECK_EQ(io_uring_submit(&ring), -EBADFD);
    CHECK_EQ(io_uring_enable_rings(&ring), 0);
    SUBMIT(&ring, 1);
    CHECK_EQ(reap(&ring).res, 0);
    CHECK_EQ(io_uring_enable_rings(&ring), -EBADFD);
    io_uring_queue_exit(&ring);
}

static void requests(void)
{
    struct io_uring ring;
    struct io_uring_restriction rules[2];
    char byte;
    int fd = make_file("file", 1, 0);

    ring_open(&ring, 4, IORING_SETUP_R_DISABLED);
    memset(rules, 0, sizeof(rules));
    rules[0].opcode = IORING_RESTRICTION_SQE_OP;
    rules[0].sqe_op = IORING_OP_NOP;
    rules[1].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    rules[1].sqe_flags = IOSQE_ASYNC;
    CHECK_EQ(io_uring_register_restrictions(&ring, rules, 2), 0);
    CHECK_EQ(io_uring_register_restrictions(&ring, rules, 2), -EBUSY);
    CHECK_EQ(io_uring_enable_rings(&ring), 0);
    CHECK_EQ(nop_with_flags(&ring, 0), 0);
    CHECK_EQ(nop_with_flags(&ring, IOSQE_ASYNC), 0);
    CHECK_EQ(nop_with_flags(&ring, IOSQE_IO_DRAIN), -EACCES);
    io_uring_prep_read(next_sqe(&ring), fd, &byte, 1, 0);
    CHECK_EQ(run_res(&ring), -EACCES);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void required_flags(void)
{
    struct io_uring ring;
    struct io_uring_restriction rules[2];

    ring_open(&ring, 4, IORING_SETUP_R_DISABLED);
    memset(rules, 0, sizeof(rules));
    rules[0].opcode = IORING_RESTRICTION_SQE_OP;
    rules[0].sqe_op = IORING_OP_NOP;
    rules[1].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
    rules[1].sqe_flags = IOSQE_ASYNC;
    CHECK_EQ(io_uring_register_restrictions(&ring, rules, 2), 0);
    CHECK_EQ(io_uring_enable_rings(&ring), 0);
    CHECK_EQ(nop_with_flags(&ring, 0), -EACCES);
    CHECK_EQ(nop_with_flags(&ring, IOSQE_ASYNC), 0);
    io_uring_queue_exit(&ring);
}

static void registrations(void)
{
    struct io_uring ring;
    struct io_uring_restriction rules[2];
    char byte;
    struct iovec vec = { &byte, 1 };
    int fd = make_file("file", 1, 0);

    ring_open(&ring, 4, IORING_SETUP_R_DISABLED);
    memset(rules, 0, sizeof(rules));
    rules[0].opcode = IORING_RESTRICTION_REGISTER_OP;
    rules[0].register_op = IORING_REGISTER_BUFFERS;
    rules[1].opcode = IORING_RESTRICTION_REGISTER_OP;
    rules[1].register_op = IORING_REGISTER_ENABLE_RINGS;
    CHECK_EQ(io_uring_register_restrictions(&ring, rules, 2), 0);
    CHECK_EQ(io_uring_enable_rings(&ring), 0);
    CHECK_EQ(io_uring_register_buffers(&ring, &vec, 1), 0);
    CHECK_EQ(io_uring_unregister_buffers(&ring), -EACCES);
    CHECK_EQ(io_uring_register_files(&ring, &fd, 1), -EACCES);
    io_uring_queue_exit(&ring);
    close(fd);
}

static void too_late_or_wrong(void)
{
    struct io_uring ring;
    struct io_uring_restriction rule;

    memset(&rule, 0, sizeof(rule));
    rule.opcode = IORING_RESTRICTION_SQE_OP;
    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_restrictions(&ring, &rule, 1), -EBADFD);
    io_uring_queue_exit(&ring);
    ring_open(&ring, 4, IORING_SETUP_R_DISABLED);
    rule.opcode = 99;
    CHECK_EQ(io_uring_register_restrictions(&ring, &rule, 1), -EINVAL);
    CHECK_EQ(io_uring_register_restrictions(&ring, NULL, 1), -EINVAL);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(starts_disabled),
    CASE(requests),
    CASE(required_flags),
    CASE(registrations),
    CASE(too_late_or_wrong),
};

TEST_MAIN(cases)
