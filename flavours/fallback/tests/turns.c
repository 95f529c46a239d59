/*
 * Requests to receive that are not tried at their turn, since others found
 * nothing: they complete in time all the same, in their order, and on their
 * file.
 */
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "ring.h"

enum { ROUNDS = 300, PAIRS = 200 };

static struct io_uring ring;
static int pair[2];
static char bytes[4 * PAIRS];

static void receive(int fd, char *to, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_recv(sqe, fd, to, 1, 0);
    io_uring_sqe_set_data64(sqe, data);
}

static void send_byte(int fd, const char *byte, __u64 data)
{
    struct io_uring_sqe *sqe = next_sqe(&ring);

    io_uring_prep_send(sqe, fd, byte, 1, 0);
    io_uring_sqe_set_data64(sqe, data);
}

/* Many requests on fds[0] that find nothing, and get a byte from fds[1] later. */
static void find_nothing(const int *fds)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct io_uring_cqe *cqe;
        char byte = (char) i, got;

        receive(fds[0], &got, 1);
        send_byte(fds[1], &byte, 2);
        for (unsigned nr = 0; nr < 2; nr++) {
            CHECK_EQ(io_uring_submit_and_wait(&ring, 1) >= 0, 1);
            CHECK_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
            CHECK_EQ(cqe->res, 1);
            io_uring_cqe_seen(&ring, cqe);
        }
        CHECK_EQ(got, byte);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        char byte = (char) i, got;

        receive(fds[0], &got, 1);
        CHECK_EQ(io_uring_submit(&ring), 1);
        CHECK_SYS(send(fds[1], &byte, 1, 0));
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(got, byte);
    }
}

static void begin(void)
{
    ring_open(&ring, 4 * PAIRS, 0);
    CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    find_nothing(pair);
}

static void end(void)
{
    io_uring_queue_exit(&ring);
    close(pair[0]);
    close(pair[1]);
}

/* What is there already is received when the submission returns, whoever looks for events. */
static void at_once(void)
{
    begin();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char byte = (char) i, got = (char) ~i;

        CHECK_SYS(send(pair[1], &byte, 1, 0));
        receive(pair[0], &got, 3);
        CHECK_EQ(io_uring_submit(&ring), 1);
        CHECK_EQ(io_uring_cq_ready(&ring), 1);
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(got, byte);
    }
    end();
}

/* What one request sends the other one receives, in one submission. */
static void in_one_submission(void)
{
    begin();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char byte = (char) i, got = (char) ~i;

        receive(pair[0], &got, 1);
        send_byte(pair[1], &byte, 2);
        CHECK_EQ(io_uring_submit_and_wait(&ring, 2), 2);
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(got, byte);
    }
    end();
}

/* Several on one socket get the bytes in the order in which they were submitted. */
static void in_order(void)
{
    begin();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char sent[4] = {1, 2, 3, 4}, got[4] = {0};
        unsigned before = i % 5;

        CHECK_SYS(before ? send(pair[1], sent, before, 0) : 0);
        for (unsigned nr = 0; nr < 4; nr++) {
            receive(pair[0], &got[nr], nr);
            if (i % 3 == 0)
                CHECK_EQ(io_uring_submit(&ring), 1);
        }
        CHECK_EQ(io_uring_submit(&ring) >= 0, 1);
        if (before < 4)
            CHECK_SYS(send(pair[1], sent + before, 4 - before, 0));
        for (unsigned nr = 0; nr < 4; nr++)
            CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(memcmp(sent, got, 4), 0);
    }
    end();
}

/* A number that stands for another file, closed behind the library's back. */
static void another_file(void)
{
    for (unsigned i = 0; i < 20; i++) {
        int next[2], number;
        char byte = (char) i, got = (char) ~i;

        begin();
        number = pair[0];
        CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, next));
        /* As a program does that makes system calls by itself. */
#ifdef __x86_64__
        long ret;

        __asm__ volatile("syscall" : "=a"(ret) : "a"(SYS_dup2), "D"(next[0]), "S"(number) : "rcx", "r11", "memory");
        CHECK_EQ(ret, number);
#else
        CHECK_EQ(dup2(next[0], number), number);
#endif
        receive(number, &got, 1);
        CHECK_EQ(io_uring_submit_and_get_events(&ring), 1);
        CHECK_SYS(send(next[1], &byte, 1, 0));
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(got, byte);
        close(next[0]);
        close(next[1]);
        end();
    }
}

/* What comes after them in a submission finds them done, if they could be. */
static void before_others(void)
{
    begin();
    for (unsigned i = 0; i < ROUNDS; i++) {
        char byte = (char) i, got = (char) ~i;

        CHECK_SYS(send(pair[1], &byte, 1, 0));
        receive(pair[0], &got, 3);
        io_uring_prep_cancel64(next_sqe(&ring), 3, 0);
        CHECK_EQ(io_uring_submit_and_wait(&ring, 2), 2);
        for (unsigned nr = 0; nr < 2; nr++) {
            struct done done = reap(&ring);

            CHECK_EQ(done.res, done.data == 3 ? 1 : -ENOENT);
        }
        CHECK_EQ(got, byte);
    }
    end();
}

static void *answer(void *argument)
{
    const int *fds = argument;
    char byte;

    while (recv(fds[1], &byte, 1, 0) == 1)
        CHECK_SYS(send(fds[1], &byte, 1, 0));
    return NULL;
}

/* Another thread answers, at any moment. */
static void answers(void)
{
    pthread_t thread;

    begin();
    CHECK_EQ(pthread_create(&thread, NULL, answer, pair), 0);
    for (unsigned i = 0; i < 20 * ROUNDS; i++) {
        char byte = (char) i, got = (char) ~i;

        receive(pair[0], &got, 1);
        send_byte(pair[0], &byte, 2);
        CHECK_EQ(io_uring_submit_and_wait(&ring, 2), 2);
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(reap(&ring).res, 1);
        CHECK_EQ(got, byte);
    }
    CHECK_SYS(shutdown(pair[0], SHUT_WR));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    end();
}

/* More descriptors are ready than one call of epoll reports. */
static void many(void)
{
    static int all[PAIRS][2];

    begin();
    for (unsigned i = 0; i < PAIRS; i++)
        CHECK_SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, all[i]));
    for (unsigned turn = 0; turn < 40; turn++) {
        bool late = turn % 3 == 1;

        for (unsigned i = 0; i < PAIRS; i++) {
            bytes[2 * i] = (char) (i + turn);
            if (!late)
                CHECK_SYS(send(all[i][1], &bytes[2 * i], turn % 2, 0));
            receive(all[i][0], &bytes[2 * i + 1], i);
        }
        CHECK_EQ(io_uring_submit(&ring), PAIRS);
        for (unsigned i = 0; i < PAIRS; i++)
            if (late || turn % 2 == 0)
                CHECK_SYS(send(all[i][1], &bytes[2 * i], 1, 0));
        for (unsigned i = 0; i < PAIRS; i++)
            CHECK_EQ(reap(&ring).res, 1);
        for (unsigned i = 0; i < PAIRS; i++)
            CHECK_EQ(bytes[2 * i + 1], bytes[2 * i]);
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        close(all[i][0]);
        close(all[i][1]);
    }
    end();
}

static const struct test_case cases[] = {
    CASE(at_once), CASE(in_one_submission), CASE(in_order), CASE(another_file), CASE(before_others), CASE(answers), CASE(many),
};

TEST_MAIN(cases)
