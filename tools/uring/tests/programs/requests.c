/*
 * Requests for `uring trace` to count.
 *
 * usage: requests nop COUNT BATCH     requests that do nothing, and the time of each
 *        requests kinds               one of each way that a request can go; prints what the trace must find
 *        requests misuse              a chain that goes on where the submission ends
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHECK(call) do { if ((call) < 0) { perror(#call); exit(1); } } while (0)

static int nops(long count, unsigned batch)
{
    struct timespec start, end;
    struct io_uring ring;
    long done = 0;

    CHECK(io_uring_queue_init(batch, &ring, 0));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (; done < count; done += batch) {
        for (unsigned i = 0; i < batch; i++) {
            struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

            io_uring_prep_nop(sqe);
            io_uring_sqe_set_data64(sqe, done + i);
        }
        CHECK(io_uring_submit_and_wait(&ring, batch));
        io_uring_cq_advance(&ring, batch);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    printf("%ld requests, %.0f ns each\n", done,
           ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / done);
    return 0;
}

static long submitted, completed;

static void submit(struct io_uring *ring)
{
    int done = io_uring_submit(ring);

    CHECK(done);
    submitted += done;
}

/* Takes completions until this many of the ring have been seen. */
static void reap(struct io_uring *ring, int wanted)
{
    struct io_uring_cqe *cqe;

    for (; wanted > 0; wanted--) {
        CHECK(io_uring_wait_cqe(ring, &cqe));
        io_uring_cqe_seen(ring, cqe);
        completed++;
    }
}

static int kinds(void)
{
    struct io_uring ring, small;
    struct io_uring_sqe *sqe;
    char byte[8];
    int pair[2], other[2];
    unsigned overflowed;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK(pipe(other));
    CHECK(io_uring_queue_init(32, &ring, 0));
    /* By a worker. */
    io_uring_prep_nop(sqe = io_uring_get_sqe(&ring));
    sqe->flags |= IOSQE_ASYNC;
    /* A failure that breaks a chain. */
    io_uring_prep_read(sqe = io_uring_get_sqe(&ring), -1, byte, 8, 0);
    sqe->flags |= IOSQE_IO_LINK;
    io_uring_prep_nop(io_uring_get_sqe(&ring));
    /* Without a completion. */
    io_uring_prep_nop(sqe = io_uring_get_sqe(&ring));
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    /* Waits for readiness. */
    io_uring_prep_recv(io_uring_get_sqe(&ring), pair[0], byte, 8, 0);
    /* Completes more than once. */
    io_uring_prep_poll_multishot(sqe = io_uring_get_sqe(&ring), other[0], POLLIN);
    io_uring_sqe_set_data64(sqe, 77);
    submit(&ring);
    reap(&ring, 3);
    CHECK(write(pair[1], "hello", 5));
    reap(&ring, 1);
    CHECK(write(other[1], "a", 1));
    reap(&ring, 1);
    io_uring_prep_poll_remove(io_uring_get_sqe(&ring), 77);
    submit(&ring);
    reap(&ring, 2);
    /* Refused at submission. */
    io_uring_prep_nop(sqe = io_uring_get_sqe(&ring));
    sqe->opcode = 250;
    submit(&ring);
    reap(&ring, 1);
    /* Completions without room. */
    CHECK(io_uring_queue_init(4, &small, 0));
    for (int i = 0; i < 12; i++) {
        sqe = io_uring_get_sqe(&small);
        io_uring_prep_nop(sqe);
        io_uring_sqe_set_data64(sqe, i);
        if (i % 4 == 3)
            submit(&small);
    }
    overflowed = 12 - io_uring_cq_ready(&small);
    reap(&small, 12);
    printf("requests %ld completions %ld skipped 1 overflows %u in_flight 0 rings 2\n", submitted, completed, overflowed);
    return 0;
}

static int misuse(void)
{
    struct io_uring ring;
    struct io_uring_sqe *sqe;

    CHECK(io_uring_queue_init(8, &ring, 0));
    io_uring_prep_nop(sqe = io_uring_get_sqe(&ring));
    sqe->flags |= IOSQE_IO_LINK;
    submit(&ring);
    reap(&ring, 1);
    io_uring_queue_exit(&ring);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "nop"))
        return nops(atol(argv[2]), atoi(argv[3]));
    if (argc == 2 && !strcmp(argv[1], "kinds"))
        return kinds();
    if (argc == 2 && !strcmp(argv[1], "misuse"))
        return misuse();
    fprintf(stderr, "usage: requests nop COUNT BATCH, requests kinds, or requests misuse\n");
    return 2;
}
