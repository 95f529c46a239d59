/* Probing the kernel's opcodes, and freeing the probe. */
#include "ring.h"

static void check_probe(const struct io_uring_probe *probe)
{
    CHECK(probe != NULL);
    CHECK_GT(probe->last_op, IORING_OP_NOP);
    CHECK_GT(probe->ops_len, probe->last_op);
    CHECK(io_uring_opcode_supported(probe, IORING_OP_NOP));
    CHECK_EQ(io_uring_opcode_supported(probe, -1), 0);
    CHECK_EQ(io_uring_opcode_supported(probe, probe->last_op + 1), 0);
    CHECK_EQ(io_uring_opcode_supported(probe, 100000), 0);
    for (int op = 0; op <= probe->last_op; op++) {
        CHECK_EQ(probe->ops[op].op, op);
        CHECK_EQ(!!io_uring_opcode_supported(probe, op), kernel_has_op(op));
    }
}

static void own_ring(void)
{
    struct leak_mark mark = leak_mark();

    need_rings();
    for (unsigned i = 0; i < 3; i++) {
        struct io_uring_probe *probe = io_uring_get_probe();

        check_probe(probe);
        io_uring_free_probe(probe);
    }
    CHECK_NO_LEAK(mark);
}

static void given_ring(void)
{
    struct io_uring ring;
    struct io_uring_probe *probe;

    ring_open(&ring, 4, 0);
    probe = io_uring_get_probe_ring(&ring);
    check_probe(probe);
    io_uring_free_probe(probe);
    submit_nop(&ring, 1);
    CHECK_EQ(reap(&ring).data, 1);
    io_uring_queue_exit(&ring);
    ring.ring_fd = -1;
    CHECK(io_uring_get_probe_ring(&ring) == NULL);
}

static void free_nothing(void)
{
    io_uring_free_probe(NULL);
}

/* Existing programs pass it to free(). */
static void plain_free(void)
{
    struct io_uring ring;
    struct io_uring_probe *probe;

    better_than_reference("a probe's memory may be given to free()");
    ring_open(&ring, 4, 0);
    for (unsigned i = 0; i < 10; i++) {
        probe = io_uring_get_probe();
        check_probe(probe);
        free(probe);
        probe = io_uring_get_probe_ring(&ring);
        check_probe(probe);
        free(probe);
    }
    io_uring_queue_exit(&ring);
}

static void memory_of_the_caller(void)
{
    struct io_uring ring;
    size_t size = sizeof(struct io_uring_probe) + 300 * sizeof(struct io_uring_probe_op);
    struct io_uring_probe *probe = (struct io_uring_probe *) calloc(1, size);

    ring_open(&ring, 4, 0);
    CHECK_EQ(io_uring_register_probe(&ring, probe, 256), 0);
    check_probe(probe);
    memset(probe, 0, size);
    CHECK_EQ(io_uring_register_probe(&ring, probe, 2), 0);
    CHECK_EQ(probe->ops_len, 2);
    CHECK_EQ(probe->ops[2].flags, 0);
    /* the kernel refuses a probe that is not zeroed */
    CHECK_EQ(io_uring_register_probe(&ring, probe, 2), -EINVAL);
    CHECK_EQ(io_uring_register_probe(&ring, NULL, 2), -EINVAL);
    free(probe);
    io_uring_queue_exit(&ring);
}

static const struct test_case cases[] = {
    CASE(own_ring),
    CASE(given_ring),
    CASE(free_nothing),
    CASE(plain_free),
    CASE(memory_of_the_caller),
};

TEST_MAIN(cases)
