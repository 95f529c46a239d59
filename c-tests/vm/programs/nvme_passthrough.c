/* NVMe commands sent to the drive through rings of double-sized entries. */
#include "nvme.h"

enum { BIG = IORING_SETUP_SQE128 | IORING_SETUP_CQE32, COUNT = 8 };

struct drive {
    struct io_uring ring;
    int fd;
    __u32 namespace_id;
    unsigned block;     /* the drive's own */
};

static struct drive drive_open(unsigned setup)
{
    struct drive drive;
    long block;

    need_setup(BIG | setup, "double-sized entries");
    drive.fd = open_generic();
    drive.namespace_id = (__u32) CHECK_SYS(ioctl(drive.fd, NVME_IOCTL_ID));
    block = drive_attribute("queue/logical_block_size");
    CHECK_GE(block, 512);
    drive.block = (unsigned) block;
    ring_open(&drive.ring, COUNT, BIG | setup);
    return drive;
}

static void drive_close(struct drive *drive)
{
    io_uring_queue_exit(&drive->ring);
    close(drive->fd);
}

/* Prepares a command; the entry's second half holds it. */
static struct io_uring_sqe *prep(struct drive *drive, unsigned operation, const struct nvme_uring_cmd *command)
{
    struct io_uring_sqe *sqe = next_sqe(&drive->ring);

    io_uring_prep_uring_cmd(sqe, (int) operation, drive->fd);
    memcpy(sqe->cmd, command, sizeof(*command));
    return sqe;
}

static struct nvme_uring_cmd transfer(const struct drive *drive, int opcode, void *data, unsigned size,
                                      __u64 offset)
{
    __u64 first = offset / drive->block;
    struct nvme_uring_cmd command;

    memset(&command, 0, sizeof(command));
    command.opcode = (__u8) opcode;
    command.nsid = drive->namespace_id;
    command.addr = (__u64) (uintptr_t) data;
    command.data_len = size;
    command.cdw10 = (__u32) first;
    command.cdw11 = (__u32) (first >> 32);
    command.cdw12 = size / drive->block - 1;
    return command;
}

static void run_all(struct drive *drive, unsigned count)
{
    SUBMIT(&drive->ring, (int) count);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(reap(&drive->ring).res, 0);
    CHECK_NO_CQE(&drive->ring);
}

/* The block device must read what a command wrote. */
static void check_on_drive(const char *wanted, size_t size, off_t offset)
{
    char *found = aligned(size);
    int fd = open_drive(0);

    CHECK_EQ(pread(fd, found, size, offset), (ssize_t) size);
    CHECK_MEM(found, wanted, size);
    close(fd);
    free(found);
}

static void round_trip(unsigned setup, bool fixed, unsigned seed)
{
    struct drive drive = drive_open(setup);
    size_t size = COUNT * BLOCK;
    char *out = aligned(size), *in = aligned(size);
    struct iovec vectors[2] = { { out, size }, { in, size } };

    fill_pattern(out, size, seed);
    if (fixed)
        CHECK_EQ(io_uring_register_buffers(&drive.ring, vectors, 2), 0);
    for (int reading = 0; reading < 2; reading++) {
        for (unsigned i = 0; i < COUNT; i++) {
            struct nvme_uring_cmd command = transfer(&drive, reading ? NVME_READ : NVME_WRITE,
                                                     (reading ? in : out) + i * BLOCK, BLOCK,
                                                     (__u64) i * BLOCK);
            struct io_uring_sqe *sqe = prep(&drive, NVME_URING_CMD_IO, &command);

            if (fixed) {
                sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
                sqe->buf_index = (__u16) reading;
            }
        }
        run_all(&drive, COUNT);
    }
    CHECK_MEM(in, out, size);
    drive_close(&drive);
    check_on_drive(out, size, 0);
    free(out);
    free(in);
}

static void reads_and_writes(void)
{
    round_trip(0, false, 11);
}

static void registered_buffers(void)
{
    round_trip(0, true, 12);
}

static void polled(void)
{
    round_trip(IORING_SETUP_IOPOLL, false, 13);
}

static void polled_registered_buffers(void)
{
    round_trip(IORING_SETUP_IOPOLL, true, 14);
}

static void by_the_submission_thread(void)
{
    round_trip(IORING_SETUP_SQPOLL, false, 15);
}

/* One command whose data is in several buffers. */
static void vectored(void)
{
    struct drive drive = drive_open(0);
    char *parts = aligned(4 * BLOCK);
    struct iovec vectors[2] = { { parts + BLOCK, BLOCK }, { parts + 3 * BLOCK, BLOCK } };
    struct nvme_uring_cmd command;
    char *whole = aligned(2 * BLOCK);

    fill_pattern(parts + BLOCK, BLOCK, 21);
    fill_pattern(parts + 3 * BLOCK, BLOCK, 22);
    command = transfer(&drive, NVME_WRITE, vectors, 2 * BLOCK, 16 * BLOCK);
    command.data_len = 2; /* for vectors, their number */
    prep(&drive, NVME_URING_CMD_IO_VEC, &command);
    run_all(&drive, 1);
    drive_close(&drive);
    memcpy(whole, parts + BLOCK, BLOCK);
    memcpy(whole + BLOCK, parts + 3 * BLOCK, BLOCK);
    check_on_drive(whole, 2 * BLOCK, 16 * BLOCK);
    free(parts);
    free(whole);
}

/* Identify Namespace begins with the size in blocks. */
static void identify(void)
{
    struct drive drive = drive_open(0);
    char *answer = aligned(BLOCK);
    struct nvme_uring_cmd command;
    __u64 blocks, bytes;
    int fd;

    /* the controller's device accepts them, the drive's refuses them */
    close(drive.fd);
    drive.fd = open_controller();

    memset(&command, 0, sizeof(command));
    command.opcode = NVME_IDENTIFY;
    command.nsid = drive.namespace_id;
    command.addr = (__u64) (uintptr_t) answer;
    command.data_len = BLOCK;
    prep(&drive, NVME_URING_CMD_ADMIN, &command);
    run_all(&drive, 1);
    memcpy(&blocks, answer, sizeof(blocks));
    fd = open_drive(0);
    bytes = (__u64) lseek(fd, 0, SEEK_END);
    CHECK_EQ(blocks * drive.block, bytes);
    close(fd);
    drive_close(&drive);
    free(answer);
}

/* The drive's own refusal is a positive result: its status. */
static void beyond_the_end(void)
{
    struct drive drive = drive_open(0);
    char *data = aligned(BLOCK);
    struct nvme_uring_cmd command = transfer(&drive, NVME_READ, data, BLOCK, (__u64) 1 << 40);

    prep(&drive, NVME_URING_CMD_IO, &command);
    SUBMIT(&drive.ring, 1);
    CHECK_GT(reap(&drive.ring).res, 0);
    drive_close(&drive);
    free(data);
}

/* A ring of plain entries has no room for a command. */
static void plain_ring_refused(void)
{
    struct io_uring ring;
    int fd;

    need_kernel(5, 19, "commands by request");
    fd = open_generic();
    ring_open(&ring, 4, 0);
    io_uring_prep_uring_cmd(next_sqe(&ring), (int) NVME_URING_CMD_IO, fd);
    CHECK_EQ(run_res(&ring), -EOPNOTSUPP);
    io_uring_queue_exit(&ring);
    close(fd);
}

/* Entries of both sizes in one ring, a command among nops. */
static void mixed_entries(void)
{
    unsigned setup = IORING_SETUP_SQE_MIXED | IORING_SETUP_CQE_MIXED;
    char *data = aligned(BLOCK);
    struct nvme_uring_cmd command;
    struct io_uring_sqe *sqe;
    struct drive drive;
    unsigned commands = 0;

    need_setup(setup, "entries of both sizes");
    drive = drive_open(0);
    io_uring_queue_exit(&drive.ring);
    ring_open(&drive.ring, 16, setup);
    for (unsigned i = 0; i < 3; i++) {
        io_uring_prep_nop(next_sqe(&drive.ring));
        sqe = io_uring_get_sqe128(&drive.ring);
        CHECK(sqe != NULL);
        io_uring_prep_uring_cmd128(sqe, (int) NVME_URING_CMD_IO, drive.fd);
        command = transfer(&drive, NVME_READ, data, BLOCK, 0);
        memcpy(sqe->cmd, &command, sizeof(command));
        io_uring_sqe_set_data64(sqe, 1);
    }
    CHECK_GT(io_uring_submit(&drive.ring), 0);
    for (unsigned i = 0; i < 6; i++) {
        struct io_uring_cqe *cqe = NULL;

        CHECK_EQ(io_uring_wait_cqe(&drive.ring, &cqe), 0);
        CHECK_EQ(cqe->res, 0);
        commands += cqe->user_data == 1;
        io_uring_cqe_seen(&drive.ring, cqe);
    }
    CHECK_EQ(commands, 3);
    drive_close(&drive);
    check_on_drive(data, BLOCK, 0);
    free(data);
}

static const struct test_case cases[] = {
    CASE(reads_and_writes),
    CASE(registered_buffers),
    CASE(polled),
    CASE(polled_registered_buffers),
    CASE(by_the_submission_thread),
    CASE(vectored),
    CASE(identify),
    CASE(beyond_the_end),
    CASE(plain_ring_refused),
    CASE(mixed_entries),
};

TEST_MAIN(cases)
